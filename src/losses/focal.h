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
 * kept in a pair (unit_power.h), since gamma log s is an exponent. hessian="bounded" drops the last term,
 * the only negative one of hard labels, and C' r where it is negative.
 *
 * Worst error 4 ULP, of the Hessian 6; of the largest term where terms of both signs are added: in the Hessian, and the
 * gradient of soft labels.
 * Parameters: p[0], p[1] = the costs of hard labels with alpha: alpha cost_fn, (1 - alpha) cost_fp;
 * p[2] = cost_fn, p[3] = cost_fp, w = p[4] + p[5] y, p[6] + p[7] = gamma, p[6] a float32, p[8] = gamma,
 * p[9] = 1 and p[10] = -infinity for the exact Hessian, 0 and 0 for the bounded one.
 */
FL_INLINE void FN(focal)(V y, V f, V t, const REAL *p, V *loss, V *gradient, V *hessian)
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
    const FN(fl_logistic_terms) k = FN(fl_logistic_of)(f);
    /* log s = log(g + h t) - log(1 + t) */
    V error, sum_low, log_low;
    const V ht = FN(fl_product)(h, k.t, &error);
    const V ht_low = error + (h * k.t_low + h_low * k.t);
    const V sum = FN(fl_add_exactly)(g, ht, &sum_low);
    const V log_sum = FN(fl_log_pair)(sum, &log_low);
    const V correction = ((sum_low + g_low) + ht_low) / sum;
    const VI alone = g == zero; /* g + h t = t */
    const V minus_log = FN(fl_add_exactly)(k.log_high, vselect(alone, bounded, -log_sum), &error);
    const V minus_log_low = (error + k.log_low) - vkeep(alone == 0, log_low + correction);
    const V power = FN(fl_exp_minus_product)(FN(fl_opaque)(vsplat(p[6])), vsplat(p[7]), minus_log,
                                             minus_log_low);
    /* r, and r (r - u + v) */
    const V uv = FN(fl_opaque)(k.u * k.v);
    const V ratio = (tilt * uv) / (g * k.v + h * k.u);
    const V r = vselect(hard, vselect(alone, -k.v, k.u), ratio);
    const V bend = vselect(hard, uv, r * (r - (k.u - k.v)));
    const V total = c + d, slope = FN(fl_opaque)(c * k.v) - FN(fl_opaque)(d * k.u);
    const V scale = FN(fl_opaque)(weight * power);
    /* a zero weight drops its term: 0 * inf would be NaN */
    const V log_part = FN(fl_opaque)(total * k.log_high);
    const V value = vkeep(c > zero, c * bounded) + log_part;
    const V gamma_value = FN(fl_opaque)(gamma * value);
    const V value_r = FN(fl_opaque)(gamma_value * r);
    const V steep = vmax(vsplat(p[10]), slope * r);
    (void)t;
    *loss = scale * (vkeep(c > zero, c * size) + log_part);
    *gradient = vcopysign(one, f) * (scale * (slope + value_r));
    *hessian = scale * (total * uv + gamma * (steep + steep) +
                        (gamma * (value_r * r) - p[9] * (gamma_value * bend)));
}
