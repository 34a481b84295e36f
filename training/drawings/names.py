"""Names: the things that the embedded checkpoint knows, and the emoji that show them.

The first sixteen are those of the contract's scenes, in the order of the library's own atlas.
"""

GLYPHS = {
    "cat": "🐱🐈",
    "dog": "🐶🐕🐩",
    "car": "🚗🚙🚘",
    "apple": "🍎🍏",
    "banana": "🍌",
    "bicycle": "🚲",
    "ball": "⚽🏀🎾🏐",
    "fish": "🐟🐠🐡",
    "butterfly": "🦋",
    "cactus": "🌵",
    "tree": "🌲🌳🌴",
    "house": "🏠🏡",
    "airplane": "✈🛩",
    "boat": "⛵🚤🛥🚢",
    "train": "🚂🚆🚅",
    "umbrella": "☂☔⛱",
    "bus": "🚌🚍",
    "truck": "🚚🚛",
    "motorcycle": "🏍🛵",
    "traffic light": "🚦🚥",
    "stop sign": "🛑",
    "bird": "🐦🐤🦜🕊",
    "horse": "🐎🐴",
    "sheep": "🐑🐏",
    "cow": "🐄🐮",
    "elephant": "🐘",
    "bear": "🐻🐼",
    "zebra": "🦓",
    "giraffe": "🦒",
    "backpack": "🎒",
    "handbag": "👜👛",
    "tie": "👔",
    "suitcase": "🧳",
    "skis": "🎿",
    "kite": "🪁",
    "skateboard": "🛹",
    "bottle": "🍾🍼",
    "wine glass": "🍷🍸",
    "cup": "☕🍵🥤",
    "knife": "🔪🗡",
    "spoon": "🥄",
    "bowl": "🥣🍲🍜🥗",
    "sandwich": "🥪",
    "orange": "🍊",
    "broccoli": "🥦",
    "carrot": "🥕",
    "hot dog": "🌭",
    "pizza": "🍕",
    "donut": "🍩",
    "cake": "🎂🍰🧁",
    "chair": "🪑",
    "couch": "🛋",
    "potted plant": "🪴",
    "bed": "🛏",
    "toilet": "🚽",
    "tv": "📺🖥",
    "laptop": "💻",
    "mouse": "🖱",
    "keyboard": "⌨",
    "cell phone": "📱",
    "book": "📕📖📗📘",
    "clock": "⏰🕰🕒",
    "vase": "🏺",
    "scissors": "✂",
    "teddy bear": "🧸",
    "toothbrush": "🪥",
    "lion": "🦁",
    "tiger": "🐯🐅",
    "monkey": "🐵🐒",
    "rabbit": "🐰🐇",
    "frog": "🐸",
    "turtle": "🐢",
    "penguin": "🐧",
    "owl": "🦉",
    "snail": "🐌",
    "spider": "🕷",
    "crab": "🦀",
    "octopus": "🐙",
    "dolphin": "🐬",
    "whale": "🐳🐋",
    "duck": "🦆",
    "flower": "🌸🌺🌼",
    "rose": "🌹",
    "sunflower": "🌻",
    "mushroom": "🍄",
    "strawberry": "🍓",
    "grapes": "🍇",
    "lemon": "🍋",
    "pear": "🍐",
    "peach": "🍑",
    "cherries": "🍒",
    "pineapple": "🍍",
    "watermelon": "🍉",
    "tomato": "🍅",
    "potato": "🥔",
    "corn": "🌽",
    "eggplant": "🍆",
    "bread": "🍞🥖",
    "cheese": "🧀",
    "egg": "🥚",
    "hamburger": "🍔",
    "ice cream": "🍦🍨",
    "guitar": "🎸",
    "piano": "🎹",
    "violin": "🎻",
    "drum": "🥁",
    "trumpet": "🎺",
    "camera": "📷📸",
    "key": "🔑🗝",
    "hammer": "🔨",
    "candle": "🕯",
    "gift": "🎁",
    "crown": "👑",
    "hat": "🎩👒",
    "shoe": "👟👞👠",
    "glasses": "👓🕶",
    "rocket": "🚀",
    "helicopter": "🚁",
    "tractor": "🚜",
    "tent": "⛺",
    "castle": "🏰🏯",
    "sun": "☀🌞",
    "moon": "🌙🌛",
    "star": "⭐🌟",
    "heart": "❤💙💚💛💜",
}

# Kinds of a thing among the first sixty-six: where only those have names, these are not shown.
KIN = (
    "penguin",
    "owl",
    "duck",
    "dolphin",
    "whale",
    "piano",
    "ice cream",
    "tractor",
    "tent",
    "castle",
)

# Names whose things look alike: who is asked for one of them and sees another has to look closely.
ALIKE = (
    ("cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe", "teddy bear"),
    ("bird", "butterfly", "fish", "kite", "airplane"),
    ("car", "bus", "truck", "train", "motorcycle", "bicycle", "skateboard", "boat"),
    ("boat", "airplane", "train", "house"),
    ("apple", "orange", "ball", "donut", "pizza", "clock", "cake"),
    ("banana", "carrot", "hot dog", "sandwich", "broccoli", "cake"),
    ("bottle", "cup", "wine glass", "vase", "bowl", "potted plant"),
    ("cactus", "tree", "potted plant", "broccoli", "umbrella"),
    ("backpack", "handbag", "suitcase", "cup", "bottle"),
    ("knife", "spoon", "scissors", "toothbrush", "skis", "tie", "carrot"),
    ("tv", "laptop", "keyboard", "cell phone", "book", "mouse", "clock"),
    ("chair", "couch", "bed", "toilet"),
    ("traffic light", "stop sign", "cell phone", "kite"),
)

# Things without a name, none of which is a kind of what has one: no hen beside the birds, no
# ambulance beside the trucks, no mug of beer beside the cups.
UNNAMED = (
    "🐍🐝🐞🦂🦗🦟🐜🦇🦎🐊🦖🦕🐲🐪🐫🦙🦌🐗🐷🐿🦔🦦🦥🦘🦡🦊🦝🦏🦛🦭🐚🪲🪳🕸🍈🥭🥝🥥🥑🥒"
    "🌶🫑🥬🧄🧅🥜🌰🥨🥞🧇🍖🍗🥩🥓🍟🌮🌯🥙🍿🧈🥫🍱🍘🍙🍢🍣🍤🍥🥮🍡🥟🥠🥡🍪🍫🍬🍭🍯🧊🥢"
    "🏔🌋🏛🏗🧱🏢🏥🏦🏨🏪🏫🏭🗼🗽⛪🕌🛕⛩⛲🎡🎢💈🛴⛽⚓🪂🛰🛎⌛⏳🌡🌈⚡❄⛄🔥💧🎃🎆🧨"
    "🎈🎀🎗🎟🎖🏆🏅🥏🏏🏑🏒🥍🏓🏸🥊🥋🥅⛳⛸🤿🎽🛷🥌🎯🪀🪄🎮🕹🎰🎲🧩🪅🪆♠♟🃏🎭🖼🎨🧵"
    "🪡🧶🪢🧥👕👖🧣🧤🧦👗👘👙💄💍💎🔇📢🔔🎼🎤🎧📻🎷🪗📠🔋🔌🖨💾💿🧮🎞🔍💡🔦🏮📜📄📰💰"
    "🪙💳✉📦📫📮🗳✏✒🖊🖌📝📁📅📌📎📏🗑🔒🪓⛏🔫🪃🏹🛡🪚🔧🪛🔩⚙🗜⚖🦯🔗⛓🪝🧰🧲🪜⚗"
    "🧪🧫🧬🔬🔭📡💉🩸💊🩹🩺🚪🛗🪞🪟🚿🛁🪤🪒🧷🧹🧺🧻🪣🧼🧽🧯🛒🚬⚰🪦🗿🪧☁🌪🌀🌍🪨🍁🍂"
    "🍃🍀🌿🌾🪶👻👽🤖💀👀👄🦷🦴👋👍✊👣😀👶🧑"
)


def names_alike() -> dict[str, frozenset[str]]:
    """Name -> the names of things that look like it, itself not among them."""
    named = {name for group in ALIKE for name in group}
    return {
        name: frozenset(other for group in ALIKE if name in group for other in group) - {name}
        for name in sorted(named)
    }
