/* Bernoulli log-likelihood under the probit link: -c log Phi(m), m = (2y - 1) f, labels y in {0, 1}; c
 * is cost_fn for y = 1 and cost_fp for y = 0. With z = -m and the hazard h(z) = phi(z) / Phi(-z) the
 * derivative to z is h, the Hessian h (h - z).
 *
 * For z >= 0 h is z + D(z) (normal.h), so that h - z does not cancel, and the loss is z^2/2 + log(sqrt(2
 * pi) h); for z < 0 it is -log(1 - T) with T = phi(z) / h(-z), and h = phi(z) / (1 - T).
 * Worst error 4 ULP, of the Hessian 6. Parameters: p[0] = cost_fn, p[1] = cost_fp.
 */
FL_INLINE V FN(probit_size)(V f)
{
    /* above that the Hessian is 1 */
    return vmin(vsplat((REAL)(FL_BITS == 64 ? 0x1p60 : 0x1p28)), vabs(f));
}

/* What leads to D(z), then D(z) in a pair; e^(-z^2/2) */
typedef struct {
    V size, excess, excess_low, bell;
} FN(probit_kept);

FL_INLINE FN(probit_kept) FN(probit_first)(V y, V f, const REAL *p)
{
    FN(probit_kept) k;
    (void)y, (void)p;
    k.size = FN(probit_size)(f);
    k.excess = FN(fl_opaque)(FN(fl_normal_bump)(k.size));
    k.excess_low = k.bell = FN(fl_opaque)(FN(fl_normal_bell)(f));
    return k;
}

FL_INLINE FN(probit_kept) FN(probit_second)(FN(probit_kept) k, const REAL *p)
{
    (void)p;
    k.excess = FN(fl_normal_excess_of)(k.size, k.excess, &k.excess_low);
    return k;
}

FL_INLINE void FN(probit_rest)(V y, V f, FN(probit_kept) k, const REAL *p, V *loss, V *gradient,
                               V *hessian)
{
    const V sign = R(1.0) - (y + y), zero = vsplat(R(0.0)), one = vsplat(R(1.0));
    const V cost = vselect(y > zero, vsplat(p[0]), vsplat(p[1]));
    const V z = sign * f, size = vabs(z);
    const V bounded = k.size, excess = k.excess;
    const V hazard = size + (excess + k.excess_low);
    /* of the bounded size: beyond it is nothing beside z^2/2 */
    const V scaled = FN(fl_normal_scaled_hazard)(bounded, excess, k.excess_low);
    const V tail = k.bell / scaled;
    const V below = FN(fl_over_root_two_pi)(k.bell) / (one - tail);
    const VI wrong = z >= zero; /* false for NaN, which the other branch keeps */
    V exponent;
    const V rest = FN(fl_log1p_split)(vselect(wrong, scaled - one, -tail), &exponent);
    const V log_part = FN(fl_log_sum)(exponent, rest);
    *loss = cost * vselect(wrong, (R(0.5) * size) * size + log_part, -log_part);
    *gradient = sign * (cost * vselect(wrong, hazard, below));
    *hessian = cost * vselect(wrong, (bounded + excess) * excess, below * (below + bounded));
}

FL_OF_THREE_STAGES(probit)
#define FL_KEPT FN(probit_kept)
