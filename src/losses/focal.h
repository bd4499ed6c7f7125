/* Focal loss on a logit f, labels y in [0, 1]: w (1 - p_t)^gamma C with C = cost_fn y softplus(-f) +
 * cost_fp (1 - y) softplus(f), p_t = y p + (1 - y) (1 - p), p = sigma(f), and w = alpha y + (1 - alpha)
 * (1 - y), or 1.
 *
 * In terms of |f|: t = e^-|f|, u = sigma(-|f|), v = 1 - u; c and d are the weights of the part that |f|
 * makes large and of the other, g and h the same for y alone: g = (f >= 0 ? 1 - y : y), h = 1 - g.
 * Then s = 1 - p_t = g v + h u = (g + h t) / (1 + t), r = s'/s = (g - h) u v / s, and
 *     loss     = w s^gamma C,                    C  = c |f| + (c + d) log1p(t)
 *     gradient = +-w s^gamma (C' + gamma C r),   C' = c v - d u
 *     Hessian  = w s^gamma ((c + d) u v + 2 gamma C' r + gamma^2 C r^2 - gamma C r (r - u + v))
 * For hard labels r is u or -v, r (r - u + v) = u v, and log s is -log1p(t) less nothing or |f|; log s is
 * kept in a pair (unit_power.h), since gamma log s is an exponent; for gamma = 1, 2, ... 7 instead s is, and
 * is multiplied. hessian="bounded" drops the last term, the only negative one of hard labels, and C' r where
 * it is negative. float32 is computed in float64, without pairs.
 *
 * Worst error 4 ULP, of the Hessian 6; of the largest term where terms of both signs are added: in the Hessian, and the
 * gradient of soft labels.
 * Parameters: p[0], p[1] = the costs of hard labels with alpha: alpha cost_fn, (1 - alpha) cost_fp;
 * p[2] = cost_fn, p[3] = cost_fp, w = p[4] + p[5] y, p[6] + p[7] = gamma, p[6] a float32, p[8] = gamma,
 * p[9] = 1 and p[10] = -infinity for the exact Hessian, 0 and 0 for the bounded one.
 */
FL_INLINE int FN(focal_is_plain)(const REAL *p)
{
    const double gamma = FL_EXACT(p)[8];
    return gamma == 1.0 || gamma == 2.0 || gamma == 3.0 || gamma == 4.0 || gamma == 5.0 ||
           gamma == 6.0 || gamma == 7.0;
}

#if FL_BITS == 64
/* `plain` is a constant: whether gamma is one of focal_is_plain(). */
FL_INLINE void FN(focal_in_pairs)(V y, V f, const REAL *p, int plain, V *loss, V *gradient,
                                  V *hessian)
{
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0)), gamma = vsplat(p[8]);
    const V y_other = one - y, y_other_low = (one - y_other) - y;
    const VI hard = (y == zero) | (y == one);
    const V weight = vselect(hard, one, p[4] + p[5] * y);
    const V a = y * vselect(hard, vsplat(p[0]), vsplat(p[2]));
    const V b = y_other * vselect(hard, vsplat(p[1]), vsplat(p[3]));
    const V c = vselect_negative(f, a, b), d = vselect_negative(f, b, a);
    const V g = vselect_negative(f, y, y_other), h = vselect_negative(f, y_other, y);
    /* g - h, exact where it is small */
    const V tilt = vselect_negative(f, (y + y) - one, one - (y + y));
    const V g_low = vselect_negative(f, zero, y_other_low);
    const V h_low = vselect_negative(f, y_other_low, zero);
    const V size = vabs(f), bounded = vabs(FN(fl_bounded_logit)(f));
    const VI alone = g == zero; /* g + h t = t */
    V error, sum_low, power, power_low = zero, log_t;
    FN(fl_logistic_terms) k;
    if (plain) {
        const VI bit[3] = {FN(fl_bit)(p[8], 1), FN(fl_bit)(p[8], 2), FN(fl_bit)(p[8], 4)};
        k.t = FN(fl_exp_nonpositive_twofold)(vminus_abs(f), &k.t_low);
        k.u = k.t - k.t * (k.t / (one + k.t));
        k.v = one - k.u;
        log_t = vlog1p_unit(k.t);
        /* s = (g + h t) / (1 + t) */
        const V ht = FN(fl_product)(h, k.t, &error);
        const V ht_low = error + (h * k.t_low + h_low * k.t);
        const V sum = FN(fl_two_sum)(g, ht, &sum_low), whole = one + k.t;
        const V whole_low = ((one - whole) + k.t) + k.t_low, inverse = one / whole;
        const V s = FN(fl_opaque)(sum * inverse), product = FN(fl_product)(s, whole, &error);
        const V rest = ((sum - product) - error) + (((sum_low + g_low) + ht_low) - s * whole_low);
        power = FN(fl_power_by_bits)(s, FN(fl_opaque)(rest * inverse), bit, &power_low);
    } else {
        k = FN(fl_logistic_of)(f);
        log_t = k.log_high;
        /* log s = log(g + h t) - log(1 + t) */
        V log_low;
        const V ht = FN(fl_product)(h, k.t, &error);
        const V ht_low = error + (h * k.t_low + h_low * k.t);
        const V sum = FN(fl_two_sum)(g, ht, &sum_low);
        const V log_sum = FN(fl_log_pair)(sum, &log_low);
        const V correction = ((sum_low + g_low) + ht_low) / sum;
        const V minus_log = FN(fl_two_sum)(k.log_high, vselect(alone, bounded, -log_sum), &error);
        const V minus_log_low = (error + k.log_low) - vkeep(alone == 0, log_low + correction);
        power = FN(fl_exp_minus_product)(FN(fl_opaque)(vsplat(p[6])), vsplat(p[7]), minus_log,
                                         minus_log_low);
    }
    /* r, and r (r - u + v) */
    const V uv = FN(fl_opaque)(k.u * k.v);
    const V ratio = (tilt * uv) / (g * k.v + h * k.u);
    const V r = vselect(hard, vselect(alone, -k.v, k.u), ratio);
    const V bend = vselect(hard, uv, r * (r - (k.u - k.v)));
    const V total = c + d, slope = FN(fl_opaque)(c * k.v) - FN(fl_opaque)(d * k.u);
    const V scale = FN(fl_opaque)(weight * power), scale_low = FN(fl_opaque)(weight * power_low);
    const V rounded = plain ? scale + scale_low : power * weight;
    /* a zero weight drops its term: 0 * inf would be NaN */
    const V log_part = FN(fl_opaque)(total * log_t);
    const V value = vkeep(c > zero, c * bounded) + log_part;
    const V gamma_value = FN(fl_opaque)(gamma * value);
    const V value_r = FN(fl_opaque)(gamma_value * r);
    const V steep = vmax(vsplat(p[10]), slope * r), first = FN(fl_opaque)(slope + value_r);
    const V large = FN(fl_opaque)(vkeep(c > zero, c * size) + log_part);
    *loss = plain ? scale * large + scale_low * value : scale * large;
    *gradient = vcopysign(one, f) * (plain ? scale * first + scale_low * first : scale * first);
    *hessian = rounded * (total * uv + gamma * (steep + steep) +
                          (gamma * (value_r * r) - p[9] * (gamma_value * bend)));
}

FL_INLINE void FN(focal)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    (void)t;
    FN(focal_in_pairs)(y, f, p, 0, loss, gradient, hessian);
}

FL_INLINE void FN(focal_plain)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
{
    (void)t;
    FN(focal_in_pairs)(y, f, p, 1, loss, gradient, hessian);
}

/* The same without pairs. */
FL_INLINE void FN(focal_wide)(V y, V f, const REAL *p, int plain, V *loss, V *gradient, V *hessian)
{
    const V zero = vsplat(0.0), one = vsplat(1.0), gamma = vsplat(p[8]), y_other = one - y;
    const VI hard = (y == zero) | (y == one);
    const V weight = vselect(hard, one, p[4] + p[5] * y);
    const V a = y * vselect(hard, vsplat(p[0]), vsplat(p[2]));
    const V b = y_other * vselect(hard, vsplat(p[1]), vsplat(p[3]));
    const V c = vselect_negative(f, a, b), d = vselect_negative(f, b, a);
    const V g = vselect_negative(f, y, y_other), h = vselect_negative(f, y_other, y);
    const V size = vabs(f), bounded = vmin(vsplat(1e40), size); /* NaN stays */
    const V t = vexp_nonpositive(-size), v = FN(fl_opaque)(one / (one + t));
    const V u = FN(fl_opaque)(t * v), log_t = FN(fl_wide_log1p_unit)(t);
    const VI alone = g == zero;
    const V s = FN(fl_opaque)((g + h * t) * v), uv = FN(fl_opaque)(u * v), tilt = (g - h) * uv;
    const V r = vselect(hard, vselect(alone, -v, u), tilt / s);
    V power;
    if (plain) {
        const VI bit[3] = {FN(fl_bit)(p[8], 1), FN(fl_bit)(p[8], 2), FN(fl_bit)(p[8], 4)};
        power = FN(fl_wide_power)(s, bit);
    } else {
        const V log_s = vselect(alone, -(bounded + log_t), FN(fl_wide_log)(s));
        power = FN(fl_wide_exp)(gamma * log_s);
    }
    const V bend = vselect(hard, uv, r * (r - (u - v)));
    const V total = c + d, slope = FN(fl_opaque)(c * v) - FN(fl_opaque)(d * u);
    const V scale = FN(fl_opaque)(weight * power), log_part = FN(fl_opaque)(total * log_t);
    const V value = vkeep(c > zero, c * bounded) + log_part;
    const V gamma_value = FN(fl_opaque)(gamma * value);
    const V value_r = FN(fl_opaque)(gamma_value * r);
    const V steep = vmax(vsplat(p[10]), slope * r);
    *loss = scale * (vkeep(c > zero, c * size) + log_part);
    *gradient = vcopysign(one, f) * (scale * (slope + value_r));
    *hessian = scale * (total * uv + gamma * (steep + steep) +
                        (gamma * (value_r * r) - p[9] * (gamma_value * bend)));
}

FL_INLINE void FN(focal_of_float)(V y, V f, const REAL *p, V *loss, V *gradient, V *hessian)
{
    FN(focal_wide)(y, f, p, 0, loss, gradient, hessian);
}

FL_INLINE void FN(focal_plain_of_float)(V y, V f, const REAL *p, V *loss, V *gradient, V *hessian)
{
    FN(focal_wide)(y, f, p, 1, loss, gradient, hessian);
}
#else
FL_FROM_WIDE(focal, focal_of_float)
FL_FROM_WIDE(focal_plain, focal_plain_of_float)
#endif
