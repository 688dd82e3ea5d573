"""Twin of state.py's chain: clipping, Adam or Muon, decoupled weight decay, schedule, and the average of parameters."""

import math

import torch
from torch.nn.utils import clip_grad_norm_

MUON_STEP = 2.0
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
MOMENTUM = 0.95


def rate(step, settings, peak):
    """The learning rate of the step after `step` steps: linear warm-up, then half a cosine to a hundredth of it."""
    warm = min(settings["warmup_steps"], settings["steps"] - 1)
    if step < warm:
        return peak * step / warm
    done = min((step - warm) / (settings["steps"] - warm), 1.0)
    return peak * (0.99 * 0.5 * (1 + math.cos(math.pi * done)) + 0.01)


def orthogonal(x):
    """A matrix, or several [B, M, N], nearly orthogonal after five Newton-Schulz steps, in torch.optim.Muon's form."""
    tall = x.shape[-2] > x.shape[-1]
    x = x.mT if tall else x
    x = x / (torch.linalg.matrix_norm(x, keepdim=True) + 1e-8)
    product = torch.addmm if x.dim() == 2 else torch.baddbmm
    a, b, c = NEWTON_SCHULZ
    for _ in range(5):
        gram = x @ x.mT
        x = product(x, product(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x


class Optimizer:
    """Moves a list of parameters by their gradients."""

    def __init__(self, parameters, settings, peak):
        self.settings, self.peak, self.count = settings, peak, 0
        self.parameters = list(parameters)
        matrices = [p for p in self.parameters if p.dim() > 1]
        vectors = [p for p in self.parameters if p.dim() < 2]
        betas = (settings["b1"], settings["b2"])
        if settings["name"] == "adam":
            groups = [{"params": matrices, "weight_decay": settings["weight_decay"]}]
            groups += [{"params": vectors, "weight_decay": 0.0}]
            self.inner = torch.optim.AdamW(groups, lr=torch.tensor(peak), betas=betas, eps=1e-8, fused=True)
        else:
            self.inner = Muon(matrices, vectors, betas, settings["weight_decay"])

    def step(self):
        """One step of all parameters by their gradients, which are cleared."""
        if self.settings["clip_norm"]:
            clip_grad_norm_(self.parameters, self.settings["clip_norm"])
        lr = rate(self.count, self.settings, self.peak)
        self.count += 1
        if isinstance(self.inner, Muon):
            self.inner.step(lr, self.count)
        else:
            for group in self.inner.param_groups:
                group["lr"].fill_(lr)
            self.inner.step()
        for p in self.parameters:
            p.grad = None


class Muon:
    """Muon with Nesterov's momentum for kernels, taken for matrices [outputs, inputs], and NAdam for vectors.

    Bias corrections as optax has them: of momentum that of the next step, of the gradient that of this. Not compiled:
    nearly all of it is products of matrices, and the hundred kernels of the rest would take minutes to compile.
    """

    def __init__(self, matrices, vectors, betas, weight_decay):
        self.matrices, self.vectors, self.betas, self.weight_decay = matrices, vectors, betas, weight_decay
        self.momenta = [torch.zeros_like(p) for p in matrices]
        self.first = [torch.zeros_like(p) for p in vectors]
        self.second = [torch.zeros_like(p) for p in vectors]

    @torch.no_grad()
    def step(self, lr, count):
        """One step at a rate; count: steps with this one."""
        ahead = _ahead(self.momenta, [p.grad for p in self.matrices], MOMENTUM, count)
        torch._foreach_mul_(self.matrices, 1 - lr * self.weight_decay)
        torch._foreach_add_(self.matrices, [_direction(matrix) for matrix in ahead], alpha=-lr)
        b1, b2 = self.betas
        grads = [p.grad for p in self.vectors]
        ahead = _ahead(self.first, grads, b1, count)
        torch._foreach_mul_(self.second, b2)
        torch._foreach_addcmul_(self.second, grads, grads, 1 - b2)
        floors = torch._foreach_div(self.second, 1 - b2**count)
        torch._foreach_sqrt_(floors)
        torch._foreach_add_(floors, 1e-8)
        torch._foreach_addcdiv_(self.vectors, ahead, floors, -lr)


def _ahead(momenta, grads, decay, count):
    """Nesterov's momenta, and `momenta` moved, of the step that makes `count`."""
    torch._foreach_lerp_(momenta, grads, 1 - decay)
    ahead = torch._foreach_mul(momenta, decay / (1 - decay ** (count + 1)))
    torch._foreach_add_(ahead, grads, alpha=(1 - decay) / (1 - decay**count))
    return ahead


def _direction(ahead):
    """A kernel's step. A keypoint's own look [K, inputs, outputs] is K matrices; [outputs, inputs, k, k] is one."""
    if ahead.dim() == 4:
        rows = ahead.permute(0, 2, 3, 1)  # as it lies in memory
        return _direction(rows.flatten(1)).reshape(rows.shape).permute(0, 3, 1, 2)
    outputs, inputs = ahead.shape if ahead.dim() == 2 else ahead.shape[:0:-1]
    return orthogonal(ahead) * (MUON_STEP * max(1, outputs / inputs) ** 0.5)


class Average:
    """The moving average of a list of parameters."""

    def __init__(self, parameters, decay):
        self.parameters, self.decay, self.step = list(parameters), decay, 0
        self.kept = [p.detach().clone() for p in self.parameters]

    @torch.no_grad()
    def update(self):
        """Follows the parameters after a step."""
        now = min(self.decay, (1 + self.step) / (10 + self.step))
        torch._foreach_lerp_(self.kept, self.parameters, 1 - now)
        self.step += 1
