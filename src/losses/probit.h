/* Bernoulli log-likelihood under the probit link: -c log Phi(m), m = (2y - 1) f, labels y in {0, 1}; c
 * is cost_fn for y = 1 and cost_fp for y = 0. With z = -m and the hazard h(z) = phi(z) / Phi(-z) the
 * derivative to z is h, the Hessian h (h - z).
 *
 * For z >= 0 h is z + D(z) (normal.h), so that h - z does not cancel, and the loss is z^2/2 + log(h) +
 * log(sqrt(2 pi)); for z < 0 it is -log(1 - T) with T = phi(z) / h(-z), and h = phi(z) / (1 - T).
 * Worst error 5 ULP, of the Hessian 8, with costs 6 and 12. Parameters: p[0] = cost_fn, p[1] = cost_fp.
 */
FL_INLINE V FN(probit_size)(V f)
{
    /* above that the Hessian is 1 */
    return vmin(vsplat((REAL)(FL_BITS == 64 ? 0x1p60 : 0x1p28)), vabs(f));
}

/* phi(f). Worst error 1.4 ULP, with tables 0.9. */
FL_INLINE V FN(probit_density)(V f)
{
#if FL_LOOKUP
#if FL_BITS == 64
    const REAL inverse = 0.3989422804014327, inverse_low = -2.49232720227773e-17;
#else
    const REAL inverse = 0.398942292f, inverse_low = -1.13351701e-08f;
#endif
    const V most = vsplat((REAL)(FL_BITS == 64 ? 40 : 15)), bounded = vmin(most, vabs(f));
    /* as vexp_headroom() of -f^2 / 2, the square in a pair */
    V error;
    const V square = FN(fl_product)(bounded, bounded, &error);
    const V x = vmax(vsplat(EXP_LOWEST), R(-0.5) * square); /* NaN stays */
    const V shift = vround_shift() + R(16.0) * EXP_HEADROOM;
    const V shifted = x * (16 * LOG2_E) + shift, n = shifted - shift;
    const V tail = FN(fl_exp_sixteenth_tail)(FN(fl_exp_sixteenth)(x, n) - R(0.5) * error);
    const V scale = FN(fl_exp_sixteenth_scale)(FN(fl_ubits)(shifted));
    /* what the sum is rounded by counts, too */
    const V bell = scale + scale * tail, bell_low = (scale - bell) + scale * tail;
    return FN(fl_fused)(bell, vsplat(inverse), bell * inverse_low + bell_low * inverse) * EXP_BACK;
#else
    return FN(fl_over_root_two_pi)(FN(fl_normal_bell)(f));
#endif
}

/* What leads to D(z), then D(z) in a pair; phi(z) */
typedef struct {
    V size, excess, excess_low, density;
} FN(probit_kept);

FL_INLINE FN(probit_kept) FN(probit_first)(V y, V f, const REAL *p)
{
    FN(probit_kept) k;
    (void)y, (void)p;
    k.size = FN(probit_size)(f);
    k.excess = FN(fl_opaque)(FN(fl_normal_bump)(k.size));
    k.excess_low = k.density = FN(fl_opaque)(FN(probit_density)(f));
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
#if FL_BITS == 64
    const REAL log_root = 0.9189385332046728, log_root_low = -3.8782941580672414e-17;
#else
    const REAL log_root = 0.918938518f, log_root_low = 1.56341773e-08f;
#endif
    const V sign = R(1.0) - (y + y), zero = vsplat(R(0.0)), one = vsplat(R(1.0));
    const V cost = vselect(y > zero, vsplat(p[0]), vsplat(p[1]));
    const V z = sign * f, size = vabs(z), bounded = k.size, excess = k.excess;
    /* of the bounded size: beyond it is nothing beside z^2/2 */
    const V hazard = vmax(bounded, excess) + (vmin(bounded, excess) + k.excess_low);
    const V density = k.density, tail = density / hazard;
    const V below = density / (one - tail);
    const VI wrong = z >= zero; /* false for NaN, which the other branch keeps */
    V exponent;
    const V rest = FN(fl_log1p_split)(vselect(wrong, hazard - one, -tail), &exponent);
    const V log_part = FN(fl_log_sum)(exponent, rest);
    *loss = cost * vselect(wrong, (R(0.5) * size) * size + ((log_part + log_root_low) + log_root),
                           -log_part);
    *gradient = sign * (cost * vselect(wrong, vmax(hazard, size), below));
    *hessian = cost * vselect(wrong, (bounded + excess) * excess, below * (below + bounded));
}

FL_OF_THREE_STAGES(probit)
#define FL_KEPT FN(probit_kept)
