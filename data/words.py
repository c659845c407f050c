"""Word tables of the comment grammar in `make_comments.py`: our own lists, one block a topic, then the shared ones.

How the lists are read:

- a list is one string of words split at white space, the commonest first (how the weight falls: make_comments.py);
- a noun is given in the singular; a plural that is not formed by rule follows a slash (`loaf/loaves`);
- a verb is given in the plain form; a past that is not formed by rule follows a slash (`write/wrote`);
- an underscore stands for a blank inside a phrase (`at_night`).

A topic holds

- `weight`: how often comments have this topic, relative to the others;
- `classes`: its noun classes, each with a weight, whether its members are people (`who` or `that`), its nouns, the
  verbs without object that its nouns can be the subject of, and its adjectives; every topic has a class `P`, people;
- `relations`: (subject class, weight, object class, verbs with object);
- `places`: (class, prepositions, class), for phrases such as "the soup in the pan";
- `activities`: phrases with an -ing form;
- `lists`: further word lists, and `rules`: further rules, in the notation that `make_comments.py` explains.
"""

# Verbs for what a thing does to people, shared by many relations below.
PSYCH = "surprise annoy impress please bore amuse worry confuse"

PEOPLE_ADJECTIVES = "happy tired clever hungry lazy friendly polite rude"

# A class of things that people write about on any topic, X; with its relations it joins those of every topic.
GENERAL = {
    "weight": 80,
    "people": False,
    "nouns": "idea price problem question story rule quality/qualities answer rumour reason",
    "verbs": "matter help change disappear",
    "adjectives": "silly simple serious complicated fair wrong harmless vague",
}
GENERAL_RELATIONS = [
    ("X", 60, "P", PSYCH),
    ("P", 35, "X", "like hate understand/understood remember discuss ignore explain"),
]

TOPICS = {
    "cooking": {
        "weight": 15,
        "classes": {
            "P": {
                "weight": 40,
                "people": True,
                "nouns": """chef friend guest neighbour child/children waiter visitor baker grandmother flatmate
                customer butcher critic apprentice student host""",
                "verbs": "smile cook complain wait eat/ate laugh",
                "adjectives": PEOPLE_ADJECTIVES,
            },
            "F": {
                "weight": 40,
                "people": False,
                "nouns": """soup cake sauce pie stew curry pancake omelette salad pudding biscuit loaf/loaves
                casserole dumpling tart risotto sandwich muffin roast pastry lasagne pizza waffle scone""",
                "verbs": "smell burn disappear cool collapse thicken",
                "adjectives": """delicious salty crispy tasty spicy creamy bland sweet burnt greasy juicy sour
                bitter tender""",
            },
            "T": {
                "weight": 20,
                "people": False,
                "nouns": "pan oven knife/knives pot bowl spoon kettle fridge grill blender wok tray whisk ladle",
                "verbs": "break/broke rattle leak rust overheat wobble",
                "adjectives": """rusty blunt heavy greasy sturdy non-stick cast-iron battered shiny sharp dented
                spotless grimy""",
            },
        },
        "relations": [
            (
                "P",
                60,
                "F",
                "love make/made eat/ate hate taste cook bake serve",
            ),
            ("P", 25, "T", "need use love clean buy/bought borrow hate"),
            ("F", 40, "P", PSYCH),
            ("T", 20, "F", "ruin burn improve spoil crush"),
        ],
        "places": [
            ("F", "in from on near", "T"),
            ("P", "with near behind", "T"),
            ("T", "with near behind", "F"),
            ("X", "about of with", "F"),
        ],
        "activities": """baking_bread cooking_at_home chopping_onions washing_the_dishes making_pasta
        peeling_potatoes eating_out frying_fish tasting_everything following_a_recipe cooking_for_a_crowd
        weighing_flour boiling_eggs whipping_cream kneading_dough""",
        "lists": {
            "K": """garlic butter ginger cheese chilli basil parsley cinnamon honey lemon cumin mustard thyme
            paprika coriander yoghurt vinegar nutmeg rosemary mint turmeric spinach cream oregano bacon saffron sage
            tofu vanilla chocolate celery leek fennel tarragon cardamom molasses horseradish mayonnaise buttermilk
            couscous polenta tahini anchovy lentil barley aubergine courgette pumpkin parmesan mozzarella feta
            wasabi miso sherry marzipan sultana treacle rhubarb quinoa halloumi chutney dill chive marjoram caraway
            aniseed lemongrass tamarind sesame""",
        },
        "rules": """
        REMARK: 30 I always add K to my N.F.sg | 20 K goes well with K | 15 you can replace K with K
        REMARK: 15 a little K saves every N.F.sg | 12 my N.F.sg needs more K | 10 my KIN puts K in everything
        REMARK: 10 I use K instead of K
        """,
    },
    "football": {
        "weight": 14,
        "classes": {
            "P": {
                "weight": 30,
                "people": True,
                "nouns": """fan friend referee neighbour child/children coach visitor manager supporter commentator
                pundit owner scout journalist chairman/chairmen linesman/linesmen""",
                "verbs": "smile cheer complain wait shout laugh",
                "adjectives": PEOPLE_ADJECTIVES,
            },
            "L": {
                "weight": 42,
                "people": True,
                "nouns": """player striker goalkeeper defender captain midfielder winger forward substitute teammate
                opponent youngster veteran full-back playmaker centre-half/centre-halves debutant international""",
                "verbs": "score run/ran train complain miss celebrate",
                "adjectives": """fast injured talented tired unfit fearless clumsy left-footed promising overpaid
                world-class suspended skilful athletic""",
            },
            "M": {
                "weight": 28,
                "people": False,
                "nouns": """match/matches game goal season penalty transfer pass/passes tackle corner header save
                defeat derby replay final tournament free-kick friendly throw-in comeback""",
                "verbs": "matter start continue fail count hurt/hurt",
                "adjectives": """late decisive goalless dull historic deserved controversial one-sided scrappy nervy
                thrilling disputed""",
            },
        },
        "relations": [
            ("P", 45, "L", "love praise blame hate admire criticise support"),
            ("P", 30, "M", "watch love remember enjoy hate discuss miss"),
            ("L", 40, "M", "win/won love lose/lost enjoy miss hate ruin"),
            ("L", 25, "P", "ignore thank impress respect greet frustrate"),
            ("M", 40, "P", PSYCH),
        ],
        "places": [
            ("P", "behind near with", "L"),
            ("L", "in from after", "M"),
            ("M", "before after without", "M"),
            ("X", "about of with", "M"),
        ],
        "activities": """watching_football defending_a_lead playing_away training_in_the_rain taking_penalties
        standing_in_the_stands arguing_with_the_referee losing_at_home winning_a_cup playing_for_a_draw
        passing_the_ball buying_a_season_ticket shooting_from_distance""",
        "lists": {
            "CLUB": """United Rovers City Athletic Town Wanderers Albion Rangers County Wednesday Harriers Orient
            Argyle Villa Thistle Academicals Swifts Dynamo Casuals Borough""",
            "SCORE": "1-0 2-1 2-0 1-1 3-1 0-0 3-0 2-2 3-2 4-1 4-0 5-1 4-2 3-3 5-0 4-3 6-1 5-2 7-0 6-2 8-1 4-4 9-0",
        },
        "rules": """
        K: 1 PLACE CLUB
        REMARK: 30 K won SCORE on WEEKDAY | 20 K lost SCORE to K | 15 I have supported K since YEAR
        REMARK: 15 K will never beat K | 10 K should sell the N.L.sg | 10 it was SCORE after NUMBER minutes
        """,
    },
    "music": {
        "weight": 14,
        "classes": {
            "P": {
                "weight": 42,
                "people": True,
                "nouns": """singer friend drummer neighbour child/children guitarist visitor pianist producer
                violinist composer conductor teacher listener bassist rapper""",
                "verbs": "smile sing/sang complain wait dance laugh",
                "adjectives": PEOPLE_ADJECTIVES,
            },
            "A": {
                "weight": 35,
                "people": False,
                "nouns": """song album record melody concert chorus solo tune ballad symphony cover remix lyric
                verse anthem single waltz/waltzes riff lullaby sonata opera bootleg duet encore""",
                "verbs": "start end fade work drag/dragged echo",
                "adjectives": """catchy loud slow melodic repetitive noisy mellow live haunting cheesy upbeat
                melancholic danceable timeless""",
            },
            "T": {
                "weight": 23,
                "people": False,
                "nouns": """guitar piano violin drum trumpet speaker cello flute microphone amplifier saxophone
                organ synthesizer banjo""",
                "verbs": "break/broke rattle buzz squeak hum/hummed crackle",
                "adjectives": """electric second-hand vintage wooden muffled tuned battered brassy handmade
                scratched priceless""",
            },
        },
        "relations": [
            (
                "P",
                55,
                "A",
                "play love sing/sang write/wrote hate record perform hear/heard",
            ),
            ("P", 30, "T", "play love buy/bought need tune borrow hate"),
            ("A", 40, "P", PSYCH),
            ("T", 20, "A", "ruin improve carry spoil drown"),
        ],
        "places": [
            ("A", "for with without", "T"),
            ("P", "with behind near", "T"),
            ("T", "in from on", "A"),
            ("X", "about of with", "A"),
        ],
        "activities": """singing_in_a_choir playing_the_guitar listening_to_vinyl learning_the_piano writing_lyrics
        practising_scales going_to_concerts collecting_records reading_sheet_music tuning_a_violin playing_in_a_band
        dancing_all_night whistling_in_tune""",
        "lists": {
            "K": """jazz rock blues folk reggae techno soul metal punk disco funk swing house gospel country opera
            ska grunge ambient hip-hop bluegrass trance bebop samba flamenco dubstep klezmer rockabilly tango salsa
            calypso fado electro garage industrial skiffle polka mambo ragtime drone rumba chanson britpop shoegaze
            yodelling barbershop minimalism serialism baroque plainsong dixieland bossa zydeco merengue psytrance
            cumbia emo""",
        },
        "rules": """
        REMARK: 30 I prefer K to K | 20 there is too much K on the radio these days | 15 I grew up with K and K
        REMARK: 15 K is better live | 12 K has changed since YEAR | 10 my KIN plays K in PLACE
        """,
    },
    "pets": {
        "weight": 11,
        "classes": {
            "P": {
                "weight": 32,
                "people": True,
                "nouns": """owner friend farmer neighbour child/children vet visitor breeder trainer walker
                postman/postmen groomer shepherd toddler rider jogger""",
                "verbs": "smile whistle complain wait travel/travelled laugh",
                "adjectives": PEOPLE_ADJECTIVES,
            },
            "D": {
                "weight": 34,
                "people": False,
                "nouns": """dog puppy terrier spaniel collie hound poodle labrador beagle retriever bulldog
                dachshund whippet greyhound mongrel dalmatian husky""",
                "verbs": "bark sleep/slept growl howl snore wait",
                "adjectives": """playful loyal hungry obedient wet muddy barking house-trained gentle lively
                stubborn short-legged boisterous""",
            },
            "A": {
                "weight": 24,
                "people": False,
                "nouns": """cat kitten rabbit hamster pony parrot goat hen duck goose/geese tortoise donkey canary
                budgie lamb ferret gerbil llama cockatoo lizard""",
                "verbs": "sleep/slept eat/ate hide/hid escape disappear bite/bit",
                "adjectives": "fluffy shy fat affectionate furry moody long-haired elderly tame sleepy spoilt",
            },
        },
        "relations": [
            ("P", 38, "D", "love feed/fed walk train call brush wash"),
            ("P", 28, "A", "love feed/fed brush stroke adopt rescue call"),
            ("D", 30, "A", "chase watch follow ignore lick scare"),
            ("D", 25, "P", "follow love watch greet obey bite/bit protect"),
            ("A", 35, "D", "ignore watch fear avoid tease scratch tolerate"),
        ],
        "places": [
            ("P", "with behind near", "D"),
            ("D", "with behind near", "A"),
            ("A", "with behind near", "D"),
            ("X", "about of with", "D"),
        ],
        "activities": """walking_the_dog feeding_the_cats training_a_puppy cleaning_the_cage riding_a_horse
        brushing_a_poodle going_to_the_vet throwing_sticks sleeping_on_the_sofa chasing_squirrels
        adopting_an_old_dog trimming_claws""",
        "lists": {
            "K": """Rex Bella Whiskers Buster Daisy Max Molly Rusty Smudge Patch Biscuit Ginger Socks Tiger Pickles
            Shadow Rover Fluffy Bonnie Bramble Sooty Scamp Toffee Marmalade Duke Lola Nibbles Monty Pepper Rocky
            Snowy Treacle Winston Ziggy Barney Cookie Dexter Fudge Hector Jasper Kipper Misty Nutmeg Oscar Paddy
            Pumpkin Roly Sparky Tinker Waffles Mittens Gizmo Bandit Captain Dobbin Hazel Cleo Chester""",
        },
        "rules": """
        REMARK: 30 K sleeps on my bed every night | 20 K and K hate each other | 15 we adopted K in YEAR
        REMARK: 15 our N.D.sg K is NUMBER years old | 12 K chased the N.A.sg of my KIN | 10 K only eats on WEEKDAY
        """,
    },
}

# Lists that all topics share.
SHARED = {
    "THING": """teapot brick banana sandcastle lighthouse wet_sock doorknob cucumber stapler paperclip umbrella
    bathtub snowman toothbrush wheelbarrow trampoline hedgehog camel filing_cabinet letterbox chandelier haystack
    submarine lampshade cardboard_box potato tax_return shopping_trolley hairdryer penguin scarecrow windmill
    suitcase traffic_cone deckchair rainbow bicycle kite anchor sofa drawbridge volcano wardrobe bookshelf
    thermometer doormat cupboard bungalow mattress clothes_peg lamppost tricycle parachute tractor dustbin
    gravestone pillow turnip caravan igloo postcard coconut ironing_board seashell dictionary candlestick
    hot-air_balloon radiator curtain hammock periscope jigsaw staircase catapult candyfloss_stall bus_stop pebble
    shoebox hatstand pineapple marshmallow button chimney rowing_boat bagpipe telescope typewriter unicycle
    waterfall yacht zebra xylophone walrus vacuum_cleaner tombola snorkel rhinoceros puddle otter nutcracker
    mousetrap lawnmower kazoo jellyfish icicle hippopotamus gargoyle fossil escalator dinosaur crocodile boomerang
    armchair abacus barometer cactus dandelion earwig flamingo glacier harpoon igloo-maker juggernaut kaleidoscope
    lobster meteorite narwhal obelisk pogo_stick quagmire roundabout sundial tapestry urn viaduct wigwam yo-yo
    ziggurat accordion_case alarm_clock ashtray bookmark bottle_opener bowling_ball broomstick bucket calculator
    canoe carousel carpet cartwheel castle cathedral cello_case chessboard clipboard coat_hanger compass corkscrew
    cradle crayon crossword cushion dartboard dolphin doughnut drawer eggcup elevator fairground feather fire_engine
    flagpole fountain garage ghost_train glove goldfish grapefruit hairbrush handbag handkerchief helicopter helmet
    horseshoe hourglass jackdaw lantern_fish mailbag marquee moustache notebook ostrich paintbrush passport peacock
    pelican pillowcase pincushion plughole porcupine pyramid raincoat reindeer rucksack saxophone_case sealion
    skateboard snowflake spaceship sponge starfish stepladder sunhat tablecloth tadpole tambourine tent_pole thimble
    tightrope toadstool treadmill tugboat wallpaper watermelon whirlpool wheelie_bin windscreen woodpecker""",
    "ADJALL": """good great new old terrible wonderful awful nice strange horrible amazing fantastic big small
    perfect lovely boring cheap expensive brilliant ridiculous beautiful interesting ugly useless impressive popular
    ordinary decent unusual average special excellent odd remarkable dreadful superb typical peculiar marvellous
    reliable weird superior annoying charming modern dubious famous mediocre local splendid unreliable weak modest
    fabulous outstanding unremarkable stunning unique awesome foreign curious hopeless delightful respectable
    glorious disappointing legendary pathetic memorable magnificent unforgettable unbearable atrocious abysmal
    exceptional underwhelming inferior quirky nondescript exquisite enchanting infamous unconventional passable
    tolerable imperfect old-fashioned lacklustre bog-standard unspectacular world-famous indescribable humdrum
    matchless unparalleled ghastly run-of-the-mill first-rate second-rate fashionable unfashionable traditional
    extraordinary notorious hideous serviceable commonplace unexceptional astounding lamentable bewildering bland
    brash breathtaking bumpy chaotic childish clumsy clunky comical complex confusing cosy crude cryptic cute
    dazzling dire dismal divine drab dreary elegant endless enjoyable epic exotic fancy feeble fiddly flawed
    flawless flimsy forgettable frightening frivolous generic gloomy gorgeous graceful grand grim harsh heavenly
    hilarious hypnotic iconic ideal impractical insipid ironic irresistible irritating laughable lavish likeable
    lousy luxurious magical majestic mysterious naff neat niche odious opulent original overblown overhyped paltry
    peerless petite phoney picturesque pitiful plain pleasant poetic pointless posh precious predictable puny
    radiant random refreshing regal ropey rustic scandalous scruffy shabby shoddy simplistic sinister sleek snazzy
    soothing spooky sublime suspicious tacky tedious thrilling timid tiresome tragic trendy trivial ugly-looking
    uncanny unlikely unpleasant unsettling untidy vivid vulgar wacky weighty whimsical wobbly wondrous worthless
    zany""",
    "ADVERB": """quickly slowly quietly again suddenly early badly everywhere loudly constantly well together
    immediately nervously happily anyway perfectly secretly regularly too gently sadly eventually frequently
    randomly silently terribly peacefully beautifully twice repeatedly occasionally unexpectedly mysteriously
    noisily rapidly endlessly instantly daily willingly reluctantly daintily dramatically spectacularly gradually
    continually simultaneously inexplicably annoyingly weekly gracefully abruptly incessantly miserably predictably
    prematurely intermittently overnight alphabetically sporadically unpredictably forever magnificently
    uncontrollably accidentally arguably awkwardly blindly boldly bravely briefly briskly calmly carelessly
    cautiously clumsily coldly comically defiantly diligently effortlessly elegantly enthusiastically faithfully
    fiercely frantically furiously generously gladly gloriously grudgingly heroically hopelessly idly indefinitely
    lazily merrily mechanically modestly neatly obediently painfully patiently politely promptly proudly
    purposefully rudely sensibly shamelessly sideways smoothly stubbornly subtly surprisingly tirelessly vaguely
    vigorously wearily wildly""",
    "TIME": """every_day at_night these_days every_single_week on_Sundays in_the_morning all_the_time at_the_weekend
    once_in_a_while after_work in_the_winter every_evening before_breakfast for_no_good_reason
    in_the_middle_of_the_night once_a_year from_time_to_time after_lunch in_spring at_Christmas in_public
    every_autumn""",
    "PASTTIME": """yesterday last_week last_year on_Monday this_morning last_night a_month_ago on_Saturday
    two_days_ago last_summer in_March over_the_weekend years_ago on_Tuesday an_hour_ago last_December in_October
    the_other_day""",
    "FRONTWORD": """Unfortunately Luckily Sadly Honestly Personally Apparently Fortunately Clearly Frankly Obviously
    Admittedly Ironically Oddly Incidentally Regrettably Mercifully""",
    "FREQ": "always never often usually rarely really sometimes hardly still seldom secretly regularly only",
    "DEGREE": """very so too really quite rather pretty extremely fairly surprisingly incredibly somewhat terribly
    slightly utterly remarkably absurdly unusually ridiculously outrageously""",
    "KIN": """sister brother mother father wife husband uncle daughter son friend cousin grandma boss roommate
    girlfriend boyfriend nephew niece stepmother godfather brother-in-law grandson mother-in-law granddaughter""",
    "WEEKDAY": "Saturday Sunday Monday Friday Wednesday Tuesday Thursday",
    "MONTH": "May April March June October September July August November February January December",
    "NUMBERWORD": """two three four five six ten seven eight twelve nine twenty eleven thirty fifteen forty fifty
    a_hundred""",
    "HANDLEHEAD": """quiet silver mossy rusty sleepy purple lucky tiny stormy velvet wild dusty happy frosty hidden
    crimson rapid wooden sunny salty mellow copper""",
    "HANDLETAIL": """fox otter badger teapot raven pebble lantern walrus pickle comet heron turnip pilot wizard
    hamster biscuit kettle owl marble penguin""",
    "PLACEHEAD": """Ash Oak Green Black Thorn Red West Hart Elm Stone Wood Lang Brook King North Mill Farn Whit Cold
    Marl Hazel Lin Beck Wil""",
    "PLACETAIL": """ford bridge ton field ley wick ham worth dale stead bury combe mouth well hurst burn cliffe
    hampton""",
    "NAME": """Anna Tom Maria Peter Laura Sam Julia Mark Emma Paul Sarah David Helen Oliver Kate Sofia Martin Lucy
    Simon Clara Adam Daniel Rachel George Alice Henry Grace Felix Irene Oscar Diana Victor Hannah Julie Walter Frank
    Arthur Deborah Judith Monica Patrick Stefan Teresa Ursula William Yvonne Albert Beatrice Conrad Doris Edgar
    Fiona Gordon Hilda Ingrid Jerome Kirsten Lionel Mabel Norman Ophelia Percy Quentin Rosalind Silas Tabitha Ulrich
    Verena Wendy Xavier Yasmin Zachary Agnes Bernard Cecilia Desmond Eleanor Florian Harriet Isaac Josephine Kenneth
    Lydia Maurice Naomi Orlando Penelope Ralph Sabine Timothy Viola Wilfred Astrid Boris Colette Dorian Esther
    Francesca Gilbert Henrietta Jasmine Leonora Magnus Nadia Priya Rupert Saskia Theodore Vincent Wilma Bridget
    Cedric Delia Flora Giles Hester Imogen Jonas Keiko Ludwig Miriam Nigel Odette Pavel Rowena Sergei Tamara
    Valentin Winifred Anselm Benedikt Cordelia Dagmar Ernest Frieda Gareth Horace Isolde Jocelyn Klaus Lavinia
    Mildred Nicolas Philippa Roderick Sybil Tobias Vivienne Wolfgang Adrian Bettina Caspar Dorothea Eugene Florence
    Gerald Heloise Isidore Jemima Kaspar Leopold Marion Nathaniel Octavia Prudence Quincy Raphael Selma Thaddeus
    Ulrike Valerie Wallace Ximena Yolanda Zelda Ambrose Bianca Clement Daphne Edwin Felicity Gustav Hermione
    Ignatius Juliet Kendra Lorenzo Marguerite Napoleon Ottilie Phoebe Reginald Serena Tristan  Virgil Wanda
    Archibald Belinda Cornelius Dominic Esmeralda Ferdinand Genevieve Humphrey Isabel Jeremiah Katrina Lancelot
    Madeleine Nicholas Octavius Persephone Rosemarie Sebastian Theresa Vanessa Wilhelmina Augustus Bernadette
    Christopher Dominique""",
}
