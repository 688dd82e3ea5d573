"""What a picture shows, in one phrase: "a woman in a loose red and white striped cotton T-shirt with short sleeves,
walking"."""

POSE_WORDS = {
    "a_pose": "arms a little apart", "standing": "standing", "walking": "walking", "hands_on_hips": "hands on the hips",
    "arms_raised": "arms raised",
}  # fmt: skip
FABRIC_WORDS = {"cotton": "cotton", "denim": "denim", "silk": "silk", "knit": "knitted", "wool": "woollen"}


def caption(woman, pose, kind, parameters, print_words, fabric=""):
    """The phrase for a person in a garment: kind and parameters as in garments, print_words a prints.Print's, fabric
    one of weaves.FABRICS or nothing. A kind of garment that has no words here goes by its name."""
    noun = NOUNS.get(kind, lambda parameters: kind.replace("_", " "))(parameters)
    material = FABRIC_WORDS.get(fabric, fabric)
    if noun == "trousers" and fabric == "denim":
        noun, material = "jeans", ""
    fit = _pick(_of(parameters, "ease"), ("close-fitting", "", "loose"))
    cut = CUTS.get(kind, lambda parameters: ())(parameters)
    described = " ".join(word for word in (fit, *cut, print_words, material, noun) if word)
    article = "" if noun in PLURALS else "an " if described[0] in "aeiou" else "a "
    details = _listed(DETAILS.get(kind, lambda parameters: ())(parameters))
    pose_words = POSE_WORDS.get(pose, pose.replace("_", " "))
    return f"a {'woman' if woman else 'man'} in {article}{described}{details}, {pose_words}"


def _pick(value, words):
    """The word for a value in [0, 1] out of words for equal parts of that range."""
    return words[min(int(value * len(words)), len(words) - 1)]


def _listed(details):
    """ " with a, b and c" of the words that are not empty."""
    details = [word for word in details if word]
    if not details:
        return ""
    return " with " + " and ".join([word for word in (", ".join(details[:-1]), details[-1]) if word])


def _of(parameters, name):
    """A parameter in [0, 1]; the middle of garments that do not have it."""
    return parameters.get(name, 0.5)


def _sleeves(parameters):
    return _pick(_of(parameters, "sleeve"), ("cap sleeves", "short sleeves", "elbow-length sleeves", "long sleeves"))


def _neck(parameters):
    if _of(parameters, "neck_v") > 2 / 3:
        return "a V-neck"
    if _of(parameters, "neck_depth") > 2 / 3:
        return "a scoop neck"
    return "a wide neckline" if _of(parameters, "neck_width") > 2 / 3 else ""


def _cut(*lengths):
    """A function from parameters to the words for a garment's length and flare."""
    flares = ("straight", "", "flared")
    return lambda parameters: (_pick(_of(parameters, "length"), lengths), _pick(_of(parameters, "flare"), flares))


def _trousers(parameters):
    return "shorts" if _of(parameters, "length") < 0.35 else "trousers"


PLURALS = ("trousers", "jeans", "shorts")
NOUNS = {
    "tshirt": lambda parameters: "T-shirt", "trousers": _trousers,
    "hoodie": lambda parameters: "hoodie" if _of(parameters, "hood") >= 0.5 else "jumper",
}  # fmt: skip
CUTS = {
    "tshirt": _cut("cropped", "", "", "long"), "shirt": _cut("cropped", "", "", "long"),
    "hoodie": _cut("cropped", "", "", "long"), "jacket": _cut("cropped", "", "", "long"),
    # Below 0.35 they are shorts, which is word enough.
    "trousers": lambda parameters: ("cropped" if 0.35 <= _of(parameters, "length") < 0.7 else "",),
    "skirt": _cut("short", "knee-length", "long"), "dress": _cut("short", "knee-length", "long"),
}  # fmt: skip
DETAILS = {
    "tshirt": lambda parameters: (_sleeves(parameters), _neck(parameters)),
    "shirt": lambda parameters: (_sleeves(parameters), "a collar", "a buttoned placket"),
    "hoodie": lambda parameters: ("a hood", "a front pocket") if _of(parameters, "hood") >= 0.5 else ("a crew neck",),
    "trousers": lambda parameters: (_pick(_of(parameters, "rise"), ("a low waist", "", "a high waist")),),
    "dress": lambda parameters: (_sleeves(parameters), _neck(parameters)),
}
