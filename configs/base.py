"""Every key that a run can set, with its unit and its source; a stage's file holds only its differences.

`get_config()` gives the `cpu` preset's values; `scaled(config, preset)` moves the keys that every stage
moves alike. Keys are locked when a run starts, so a misspelt one is an error, and tuples stand where
lists would, since only tuples can be set from the command line.
"""

import ml_collections

PARTS = ("encoder", "garment_encoder", "mapping", "inference", "prior", "decoder", "oriented", "discriminator")
PRESETS = ("smoke", "cpu", "base", "large")

# preset -> what changes in every stage: picture side, channels from fine to coarse, further blocks a level, batch.
SIZES = {
    "smoke": {"size": 32, "features": (8, 8, 16, 16), "more_blocks": 0, "latent_dim": 16, "batch_size": 8},
    "cpu": {"size": 64, "features": (24, 32, 64, 96), "more_blocks": 1, "latent_dim": 64, "batch_size": 16},
    "base": {"size": 256, "features": (32, 64, 128, 256), "more_blocks": 1, "latent_dim": 256, "batch_size": 64},
    "large": {"size": 512, "features": (48, 96, 192, 384), "more_blocks": 1, "latent_dim": 512, "batch_size": 64},
}


def get_config():
    """All keys at the values of the cpu preset, unlocked."""
    config = ml_collections.ConfigDict()
    config.stage = "ssl"  # a file of tryon_jax/stages: ssl, gan or transfer
    config.seed = 0  # of parameters, of the order of the data and of everything drawn in a step
    config.batch_size = 16  # examples a step over all devices and processes; divisible by the number of devices
    config.data = _data()
    config.train = _train()
    config.model = _model()
    config.optimizer = _optimizer(config.train.get_ref("steps"))
    config.loss = _loss()
    config.mask = _mask()
    config.augment = _augment()
    config.init = _init()
    return config


def _data():
    """Where examples come from."""
    data = ml_collections.ConfigDict()
    data.name = "synthetic"  # a file of tryon_jax/data
    data.preset = "cpu"  # how large a set: the data set says which presets it has
    data.classes = ()  # garment classes to keep (upper, lower, dress, outer); () is all
    data.share = 1.0  # share of the training examples to keep, the first ones, in (0, 1]
    data.folder = ""  # where it lies; '' is the data set's own place in the user's cache
    data.threads = 2  # reader threads a process; grain's worker processes gain nothing on 2 cores
    return data


def _train():
    """How long, and how often what is written."""
    train = ml_collections.ConfigDict()
    train.steps = 5000  # optimizer steps
    train.log_every = 50  # steps between lines of metrics.jsonl, which hold that step's own values
    train.sample_every = 1000  # steps between sample grids; 0 draws the last step's only
    train.evaluate_every = 1000  # steps between scores on the held-out split; 0 scores the last step only
    train.evaluate_examples = 256  # held-out examples a score is taken over, at most; 0 is all of them
    train.checkpoint_every = 500  # steps between checkpoints; 0 keeps the last step's only
    train.keep = 2  # newest checkpoints that are kept
    return train


def _model():
    """Sizes of the networks."""
    model = ml_collections.ConfigDict()
    model.size = 64  # pixels, side of the square pictures and sheets; divisible by 8
    model.features = (24, 32, 64, 96)  # channels at sides S, S/2, S/4 and S/8
    model.more_blocks = 1  # further residual blocks at each level of encoder and decoder; they may be new to a start
    model.latent_dim = 64  # numbers in a latent z
    model.classes = 4  # garment classes (geometry.parts) that condition made people and their judge; 0 is none
    model.dropout = 0.0  # share of bottleneck features dropped in training, in [0, 1)
    model.dtype = "float32"  # what layers compute in: float32 or bfloat16; parameters stay float32
    return model


def _optimizer(steps):
    """How parameters move; steps: a reference to train.steps, the length of the decay."""
    optimizer = ml_collections.ConfigDict()
    optimizer.name = "adam"  # adam | muon (arXiv:2502.16982), of the networks that make and of the discriminator
    optimizer.learning_rate = 5e-3  # peak, Adam (Kingma and Ba 2015, arXiv:1412.6980)
    optimizer.discriminator_learning_rate = 1e-3  # the same of the discriminator
    optimizer.warmup_steps = 200  # steps of linear warm-up, then cosine decay over `steps`
    optimizer.steps = steps  # follows train.steps
    optimizer.b1 = 0.9  # Adam's decay of the first moment; 0 for adversarial stages
    optimizer.b2 = 0.99  # and of the second
    optimizer.weight_decay = 1e-4  # L2, decoupled (AdamW, arXiv:1711.05101), a unit of learning rate
    optimizer.clip_norm = 1.0  # largest global gradient norm; 0 does not clip
    optimizer.ema_decay = 0.998  # a step, of the averaged parameters that are judged and used
    optimizer.low_rank = 0  # rank of what changes in each kernel (LoRA, arXiv:2106.09685); 0 changes all of it
    optimizer.freeze = ()  # parts that are not trained, e.g. (encoder,)
    optimizer.learning_rate_scale = ml_collections.ConfigDict()  # factor on the rate of each part
    for part in PARTS:
        optimizer.learning_rate_scale[part] = 1.0
    return optimizer


def _loss():
    """Weights, unitless; a term is a mean over pixels, then examples."""
    loss = ml_collections.ConfigDict()
    loss.rgb = 1.0  # L1 of the network's own colour, [0, 1]
    loss.blend = 1.0  # L1 of the colour composed of own colour, garment picture and photo
    loss.depth = 24.0  # Huber loss of depth in half extents of the picture
    loss.depth_knee = 0.15  # half extents, about 15 cm: quadratic below it, of slope 1 above
    loss.depth_slopes = 1.2  # L1 of the slopes of depth, unitless
    loss.normals = 1.0  # 1 - cosine of the angle between normals
    loss.segmentation = 0.4  # cross-entropy of the part labels, nats
    loss.mask = 1.0  # binary cross-entropy of the silhouette, nats
    loss.garment_uv = 2.0  # Huber loss of the garment coordinate, in [-1, 1]
    loss.garment_guesses = 1.0  # the same of the coarser guesses that lead to it, transfer only
    loss.keypoints = 8.0  # distance of the keypoints that the encoder finds, in half picture sides, ssl and transfer
    loss.keypoint_depths = 20.0  # Huber loss of both sheets' depths at the keypoints, ssl and transfer
    loss.holes = 8.0  # squared error of the colours in masked patches, [0, 1], ssl only
    loss.oriented = 0.0  # squared error of the directions of edges (MaskFeat, arXiv:2112.09133), ssl only
    loss.adversarial = 0.0  # the generator's part of the adversarial loss
    loss.reconstruction = 0.0  # of real sheets made anew from inferred latents, gan only; 0 is a plain GAN
    loss.divergence = 0.0  # of inferred latents from the standard normal, nats, gan only
    loss.objective = "nonsaturating"  # nonsaturating | hinge | wasserstein
    loss.r1 = 1.0  # gamma of the penalty on real examples (arXiv:1801.04406, equation 9)
    loss.r1_every = 16  # steps between penalties, scaled to match (StyleGAN2, arXiv:1912.04958, appendix B)
    return loss


def _mask():
    """Masked prediction (MAE, arXiv:2111.06377)."""
    mask = ml_collections.ConfigDict()
    mask.ratio = 0.5  # share of patches hidden
    mask.patch = 4  # pixels, side of a patch: 16 x 16 patches, about as many as in MAE
    mask.share = 0.35  # share of examples that are masked; the others show the whole photo
    mask.told = 0.6  # share of pictures without keypoints whose posture is read at the true ones, somewhat off
    return mask


def _augment():
    """Ranges of what is changed at random."""
    augment = ml_collections.ConfigDict()
    augment.yaw = 0.2  # radians, largest turn about the vertical axis
    augment.roll = 0.1  # radians, largest turn in the image plane
    augment.scale = 0.1  # largest relative change of size
    augment.shift = 0.05  # largest shift, share of the picture's side
    augment.flip = 0.5  # probability of a left-right mirror
    augment.taper = 0.4  # largest share by which a garment's picture flares or narrows, transfer only
    augment.depth_noise = 0.01  # metres, standard deviation on depth inputs, to be denoised
    augment.depth_dropout = 0.05  # share of depth input pixels dropped
    augment.colour = 0.2  # largest relative change of brightness, contrast and saturation of inputs
    augment.discriminator = ml_collections.ConfigDict()  # what D sees, real and made (arXiv:2006.10738)
    augment.discriminator.colour = 0.0  # largest relative change of brightness, saturation and contrast
    augment.discriminator.shift = 0.125  # largest shift, share of the picture's side
    augment.discriminator.cutout = 0.0  # side of a blank square, share of the picture's side
    return augment


def _init():
    """Run folders whose averaged part starts this run; '' starts afresh."""
    init = ml_collections.ConfigDict()
    for part in PARTS:
        init[part] = ""
    return init


def scaled(config, preset):
    """`config` with the sizes of `preset`, changed in place and returned.

    Raises ValueError naming the presets if there is no such one.
    """
    if preset not in PRESETS:
        raise ValueError(f"no preset {preset!r}: choose one of {', '.join(PRESETS)}")
    size = SIZES[preset]
    config.data.preset = preset
    config.batch_size = size["batch_size"]
    config.model.size = size["size"]
    config.model.features = size["features"]
    config.model.more_blocks = size["more_blocks"]
    config.model.latent_dim = size["latent_dim"]
    config.model.dtype = "bfloat16" if preset in ("base", "large") else "float32"
    config.mask.patch = size["size"] // 16
    if preset == "smoke":
        config.train.update(
            steps=20, log_every=2, sample_every=0, evaluate_every=0, evaluate_examples=8, checkpoint_every=5
        )
        # Too short to need its full rate, at which Adam makes full steps of gradients that are rounding alone.
        config.optimizer.warmup_steps = 15
    return config
