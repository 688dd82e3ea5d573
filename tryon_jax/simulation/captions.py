"""What a picture shows, in one phrase: "a woman in a loose red striped T-shirt with short sleeves, walking"."""

POSE_WORDS = {
    "a_pose": "arms a little apart", "standing": "standing", "walking": "walking", "hands_on_hips": "hands on the hips",
    "arms_raised": "arms raised",
}  # fmt: skip


def caption(woman, pose, kind, parameters, print_words):
    """The phrase for a person in a garment: parameters and kind as in garments, print_words a prints.Print's."""
    fit = _pick(parameters.get("ease", 0.5), ("close-fitting", "", "loose"))
    described = " ".join(word for word in (fit, print_words, NOUNS[kind](parameters)) if word)
    article = "an" if described[0] in "aeiou" else "a"
    details = DETAILS[kind](parameters)
    return f"a {'woman' if woman else 'man'} in {article} {described}{details}, {POSE_WORDS[pose]}"


def _pick(value, words):
    """The word for a value in [0, 1] out of words for equal parts of that range."""
    return words[min(int(value * len(words)), len(words) - 1)]


def _sleeves(parameters):
    return _pick(parameters["sleeve"], ("cap sleeves", "short sleeves", "elbow-length sleeves", "long sleeves"))


def _neck(parameters):
    return _pick(parameters["neck_v"], ("", "", " and a V-neck"))


NOUNS = {
    "tshirt": lambda parameters: "T-shirt" if parameters["sleeve"] < 0.75 else "shirt",
    "trousers": lambda parameters: "shorts" if parameters["length"] < 0.35 else "trousers",
    "skirt": lambda parameters: f"{_pick(parameters['length'], ('mini', 'knee-length', 'long'))} skirt",
    "dress": lambda parameters: f"{_pick(parameters['length'], ('mini', 'knee-length', 'long'))} dress",
}
DETAILS = {
    "tshirt": lambda parameters: f" with {_sleeves(parameters)}{_neck(parameters)}",
    "trousers": lambda parameters: _pick(parameters["rise"], (" low on the hips", "", " with a high waist")),
    "skirt": lambda parameters: "",
    "dress": lambda parameters: f" with {_sleeves(parameters)}",
}
