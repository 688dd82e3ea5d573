"""Masks: whether they are two-valued, and whether they lie where they should rather than everywhere else."""

import functools

import numpy as np

from tryon_jax.data.doctor import ERROR, LIKELY, Finding, evidence, pictures

MASKED = 128  # grey from which a pixel is masked
GREYS = slice(48, 208)  # neither black nor white, JPEG's noise aside
MOST_GREY = 0.1  # of a mask's pixels: a soft rim is less
COLOURED, MOST_COLOURED = 24, 0.02  # grey levels between the channels, of a share of the pixels: no black and white
LEAST = 0.01  # share of the picture that must be there to tell anything
FULL = 0.98


def cloth(mask_path, cloth_path, size):
    """Findings of a garment's mask and of its picture, of `size` (W, H)."""
    mask, findings = pictures.raw(mask_path, size)
    rgb, more = pictures.colours(cloth_path, size)
    findings += more
    if mask is None:
        return findings
    shown = None if rgb is None else functools.partial(evidence.garment, mask_path, cloth_path)
    if fault := two_valued(mask, mask_path, shown):
        return findings + fault
    return findings + ([] if rgb is None else _on_garment(mask >= MASKED, rgb, mask_path, shown))


def _on_garment(mask, rgb, path, shown):
    ring = np.ones(mask.shape, bool)
    ring[5:-5, 5:-5] = False
    garment = pictures.differing(rgb, ring)
    enough = garment.mean() >= LEAST  # white cloth is not told from a white ground
    if enough and mask[garment].mean() >= 0.5 or not enough and mask[ring].mean() <= 0.5:
        return []
    if mask[ring].mean() > 0.5:
        wrong = "it is white where the garment's picture shows ground, and black on the garment."
        severity = ERROR if enough else LIKELY
        return [Finding(severity, "inverted mask", path, wrong, "Invert it: white is the garment.", shown)]
    wrong = f"it covers only {mask[garment].mean():.0%} of what its picture shows."
    return [Finding(LIKELY, "misplaced mask", path, wrong, "Take mask and picture of one garment.", shown)]


def agnostic(mask_path, size, person, wanted, meant):
    """Findings of an inpainting mask, white where the garment is to be painted anew.

    person: people.Seen; wanted: parts (numbers) that it must cover; meant: what they are, in words.
    """
    raw, findings = pictures.raw(mask_path, size, ("L", "1", "RGB", "P"))
    if raw is None:
        return findings
    visible = person.parts is not None and person.rgb is not None
    shown = functools.partial(evidence.agnostic, mask_path, person.files, wanted) if visible else None
    if fault := two_valued(raw, mask_path, shown):
        return findings + fault
    if person.parts is None:
        return findings
    mask = (raw if raw.ndim == 2 else raw[..., 0]) >= MASKED
    region = np.isin(person.parts, wanted)
    if region.mean() < LEAST or mask[region].mean() >= 0.5:
        return findings
    covered = f"it covers {mask[region].mean():.0%} of {meant}"
    if mask[person.parts == 0].mean() > 0.5:
        wrong = f"{covered} and {mask[person.parts == 0].mean():.0%} of the ground."
        return [*findings, Finding(ERROR, "inverted mask", mask_path, wrong, "Invert it: white is repainted.", shown)]
    remedy = "Take the mask of this very photo, not flipped or of another garment."
    return [*findings, Finding(LIKELY, "misplaced mask", mask_path, f"{covered}.", remedy, shown)]


def two_valued(raw, path, shown=None):
    """Findings of a mask, uint8 [H, W] or [H, W, 3], that is a picture rather than a mask, or empty, or full."""
    remedy = "Use the mask itself: white where it applies, black elsewhere."
    plain = functools.partial(shown, plain=True) if shown else None
    if raw.ndim == 3 and (np.ptp(raw, axis=-1) > COLOURED).mean() > MOST_COLOURED:
        wrong = "it is a colour picture, as of the garment-agnostic person, not a mask."
        return [Finding(ERROR, "picture as mask", path, wrong, remedy, plain)]
    grey = raw if raw.ndim == 2 else raw[..., 0]
    greys = ((grey >= GREYS.start) & (grey < GREYS.stop)).mean()
    if greys > MOST_GREY:
        wrong = f"{greys:.0%} of its pixels are neither black nor white: a grey picture, not a mask."
        return [Finding(ERROR, "picture as mask", path, wrong, remedy, plain)]
    masked = (grey >= MASKED).mean()
    if masked == 0:
        return [Finding(ERROR, "empty mask", path, f"no pixel is {MASKED} or more.", "Fetch it again.", shown)]
    if masked > FULL:
        return [Finding(ERROR, "full mask", path, f"{masked:.0%} of its pixels are white.", "Fetch it again.", shown)]
    return []
