"""The words and sentence templates of generated questions and answers.

Templates contain placeholders such as {size}, filled from WORDS. E-mail addresses and photo URLs
use domains reserved for examples, so no generated row refers to a real person.
"""

SELLER = "Seller"
SELLER_EMAIL = "support@shop.example.com"

WORDS = {
    "size": ["small", "medium", "large", "size 4", "size 12", "38", "42", "2XL", "3XL"],
    "height": ["5'2\"", "5'4\"", "5'7\"", "5'11\"", "6'1\"", "160 cm", "172 cm", "185 cm"],
    "weight": ["118 lbs", "130 lbs", "145 lbs", "170 lbs", "200 lbs", "58 kg", "74 kg"],
    "material": ["cotton", "merino wool", "linen", "polyester", "leather", "bamboo", "nylon"],
    "colour": ["navy", "black", "olive", "rosé", "ivory", "charcoal", "mustard", "teal", "maroon"],
    "part": ["zip", "lining", "left seam", "collar", "strap", "sole", "top button", "stitching"],
    "occasion": ["a wedding", "hiking", "the office", "a beach holiday", "yoga", "travelling"],
    "weather": ["in the rain", "in summer", "below freezing", "on windy days", "in the snow"],
    "country": ["Canada", "Germany", "Australia", "México", "Norway", "Japan", "Brazil", "Perú"],
    "relative": ["daughter", "husband", "wife", "son", "mum", "brother", "fiancée", "niece"],
    "span": ["two weeks", "a month", "six months", "a year", "three years", "a few days"],
    "number": ["2", "3", "4", "5", "10", "14", "20", "30"],
    "degrees": ["30", "40", "60"],
    "first": [
        "Maria", "John", "Zoë", "James", "Aisha", "José", "Emma", "Wei", "Søren", "Olivia", "Renée",
        "Liam", "Priya", "Łukasz", "Grace", "Mateo", "Hannah", "Kofi", "Inès", "Noah", "Yuki",
    ],
    "surname": ["smith", "garcia", "kim", "okafor", "novak", "rossi", "larsen", "patel", "dubois"],
    "initial": list("ABCDEFGHJKLMNPRSTW"),
    "mood": ["happy", "sunny", "lazy", "tiny", "brave", "metro", "urban", "retro", "l33t", "wild"],
    "noun": ["fox", "runner", "gamer", "mom", "lover", "cyclist", "shopper", "cat", "hiker"],
    "year": ["77", "84", "88", "91", "93", "97", "2001", "2004"],
}  # fmt: skip

NAMES = ["{first} {initial}.", "{first}", "{mood}{noun}", "{mood}{noun}{year}", "{first}{year}"]
EMAILS = ["{mood}.{surname}", "{surname}.{noun}", "{mood}{noun}", "{noun}.{surname}"]
EMAIL_DOMAINS = ["example.com", "example.net", "example.org"]

PHOTO_VIEWS = ["front", "back", "worn", "close-up", "in-the-box", "after-washing", "side", "label"]

TOPICS = [
    (  # size and fit
        [
            "Does this run small?",
            "Is a {size} going to fit someone who is {height}?",
            "What size should I order for my {relative}, who is {height} and about {weight}?",
            "Is there enough room in the shoulders, or is it a slim fit?",
            "How long is the {size}, measured from top to bottom?",
            "HOW DOES IT FIT??? The size chart says {size} but the reviews say otherwise",
        ],
        [
            "It fits true to size; I took a {size} and did not regret it.",
            "Runs small, order one size up.",
            "I'm {height}, {weight}, and the {size} fits me perfectly, with room for a layer.",
            "My {relative} is {height} and the {size} was a bit long, but we kept it.",
            "The chart is accurate: measure yourself first, then choose the smaller one.",
            "A {size} would be too tight, go for the next one.",
        ],
    ),
    (  # fabric
        [
            "What fabric is it made of?",
            "Is it really {material}, or a blend?",
            "Is the {material} itchy? My {relative} has sensitive skin.",
            'The label says "100% {material}"; does that include the {part}?',
            "Does the {material} stretch after {span} of wear?",
            "Is it warm enough to wear {weather}?",
        ],
        [
            "It is mostly {material}, with a little elastane for stretch.",
            "Something pretty soft, but I can't be sure.",
            "The {material} feels lovely, not itchy at all.",
            'According to the tag it is "{material}, made with care", whatever that means.',
            "It's a blend; the {part} is {material} and the rest is not.",
            "Warm enough {weather}, with a {material} shirt underneath.",
        ],
    ),
    (  # care
        [
            "Can I put it in the washing machine?",
            "Does it shrink after the first wash?",
            "Will the {colour} bleed onto other clothes when washed at {degrees} degrees?",
            "Can it go in the dryer, or does that ruin the {part}?",
            "How do you get stains out of the {material}?",
            "Does it need ironing before {occasion}?",
        ],
        [
            "Machine wash cold, hang to dry, and it stays like new.",
            "I have washed mine about {number} times and it did not shrink.",
            "The {colour} bled a little the first time, so wash it alone.",
            "Hand wash only! The dryer ruined my {part}.",
            "A little baking soda and cold water worked on the {material}.",
            "No ironing needed, the creases fall out by themselves within the hour.",
        ],
    ),
    (  # colour and looks
        [
            "Is the {colour} as bright as in the pictures?",
            "Does it come in {colour}?",
            "Would the {colour} go with {colour} shoes for {occasion}?",
            "Does the {colour} fade in the sun?",
            "Is the logo printed or embroidered?",
            "Is it see-through in {colour}?",
        ],
        [
            "The {colour} is a shade darker than in the pictures, and nicer.",
            "I have only seen it in {colour} and in white.",
            "Looks great with {colour}, I wore it for {occasion} and got compliments all day.",
            "It faded a bit after {span}, but so do I.",
            "Embroidered, and very neatly done.",
            "Not see-through at all, not even {weather}.",
        ],
    ),
    (  # delivery
        [
            "Do you ship to {country}?",
            "How long does delivery to {country} take?",
            "Will it arrive in time for {occasion}, if I order today?",
            "Can I have it gift-wrapped for my {relative}?",
            'My order has been "on its way" for {span}. Is that normal?',
            "When will the {size} be back in stock?",
        ],
        [
            "It took {number} days to {country}, customs included.",
            "Yes, they ship to {country}, but the postage is not cheap.",
            "Mine arrived after {span}, well packed.",
            "They wrapped it beautifully, my {relative} was delighted.",
            "Mine was late too; I wrote to them, and it came {number} days later.",
            "The {size} was back in stock after {span}, sign up for the notice.",
        ],
    ),
    (  # quality
        [
            "How durable is it?",
            "Does the {part} hold up after {span} of daily use?",
            "Has anyone else had trouble with the {part}?",
            "Is the {part} supposed to look uneven?",
            "Is it worth the money, compared with the {material} one?",
            "Is it made in {country}?",
        ],
        [
            "I've had mine for {span}, and it shows no wear.",
            "The {part} came loose after {span}, otherwise fine.",
            "Something pretty durable, but I can't be sure.",
            "DON'T BUY IT! The {part} fell apart within {span}.",
            "Worth every penny, much better than the {material} one.",
            'Mine says "Made in {country}" next to the {part}.',
        ],
    ),
    (  # use
        [
            "Can I wear it for {occasion}?",
            "Is it waterproof, or would I get wet {weather}?",
            "Are the pockets deep enough for a phone?",
            "Would it do for {occasion} {weather}?",
            "Is it comfortable enough to wear all day, say for {occasion}?",
            "Would it suit my {relative}, who lives in {country} and wears {material} only?",
        ],
        [
            "I wore it for {occasion} and it was perfect.",
            "Not waterproof, but it keeps you dry for {number} minutes or so {weather}.",
            "My phone fits, the keys as well.",
            "I would not use it for {occasion}, it is more of an everyday thing.",
            "Very comfortable, I forget I'm wearing it.",
            "My {relative} lives in it, {weather} as well.",
        ],
    ),
    (  # price and returns
        [
            "Why is it cheaper here than on other sites?",
            "Can I return it if the {size} doesn't fit?",
            "Is there a discount when I buy {number} of them?",
            "How long is the warranty on the {part}?",
            "Who pays for the return postage from {country}?",
            "Does the sale price apply to the {colour} one, too?",
        ],
        [
            "We are selling it here without any markup from the middleman!",
            "Returns are free within {number} days; keep the label on.",
            "I bought {number} and got a discount without asking.",
            "The warranty is {number} months, and it does cover the {part}.",
            "From {country} you pay the postage yourself, sadly.",
            "The {colour} one was on sale, too, when I looked.",
        ],
    ),
]
"""Question and answer templates by topic, so that answers match their questions."""

LEADS = [
    "Hi! ",
    "Hello! ",
    "Quick question: ",
    "I'm {height} and {weight}. ",
    "I love the {colour} one! ",
    "I'm buying this for my {relative}. ",
    "I usually wear a {size}, and I need it for {occasion}. ",
    "I read all the reviews, but I'm still not sure. ",
    "My {relative} has had one for {span} and swears by it. ",
    "I've been looking for something like this in {material} for {span}. ",
    "I had the old one for {span}, until the {part} gave out, and would like the same again. ",
]
"""Optional openings of questions."""

TAILS = [
    " Thanks!",
    " Thank you in advance 😊",
    " Please be honest.",
    " Asking for my {relative}.",
    " I need it for {occasion}, and soon.",
    " The photos don't make it clear, and the description says nothing about it.",
    " The shop in town couldn't tell me, and I'd rather not order two sizes and send one back.",
    " ¡Gracias!",
    " The last one I bought was {material}, and I had to return it after {span}.",
    " I live in {country}, so I can't just come by and try it on.",
]
"""Optional endings of questions."""

OPENERS = [
    "Yes. ",
    "No. ",
    "Hi {first}! ",
    "Good question. ",
    "I asked the same before I ordered. ",
    "Bought this for my {relative} in {country}. ",
    "Just got mine in {colour}. ",
    "I can only speak for the {size}: ",
    "I'm no expert. ",
    "We have two of these at home, so I should know: ",
]
"""Optional openings of answers."""

ASIDES = [
    " I bought it in {colour} for {occasion}.",
    " My {relative} says the same.",
    " I've had it for {span} now, and wear it {weather}.",
    " Mind you, the one I have is {material}.",
    " It was the best thing I bought in {span}, and I buy a lot.",
    " The {part} could be better, but for the price I can't complain.",
    " The older model was different: the {part} was {material}, and it only came in {colour}.",
    " I'm {height}, if that matters, and I ordered a {size}.",
]
"""Optional continuations of answers."""

CLOSINGS = [
    " Hope that helps!",
    " Hope this helps 👍",
    " Love it ❤️",
    " 5 stars from me.",
    " Would buy again.",
    " Your mileage may vary, of course.",
    " If in doubt, order two and send one back: returns were quick for my {relative}.",
    " I'd say go for it, but in {colour}.",
    " Ask away if you want to know more.",
]
"""Optional endings of answers."""

SIGNATURES = ["\nThanks, {first}", "\n\nBest, {first}", "\n{first} from {country}"]
"""Endings of a few texts, with the line breaks that a reader of the export must handle."""
