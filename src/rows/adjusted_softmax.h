/* The formula of adjusted_cross_entropy.h and adjusted_soft_cross_entropy.h, for both kinds of label. */

/* (value + value_low) - (max + max_low) = returned + *low, to twice the precision: of large logits the low parts
 * may be all that tells them apart */
FL_INLINE V FN(fl_adjusted_gap)(V value, V value_low, V max, V max_low, V *low)
{
    V lost, tail_lost, rest;
    const V gap = two_sum(value, -max, &lost), tail = two_sum(value_low, -max_low, &tail_lost);
    const V sum = two_sum(gap, tail, &rest);
    *low = rest + (lost + tail_lost);
    return sum;
}

FL_INLINE V FN(fl_adjusted_softmax)(const FN(FlRowTile) * t, int soft, int wants)
{
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0));
    const REAL smooth = t->p[0], keep = R(1.0) - smooth, floor = smooth / (REAL)t->n;
    REAL *e = t->room[0], *x = t->room[1], *x_low = t->room[2], *q = t->room[3];
    V max = vsplat((REAL)-INFINITY), max_low = zero, rest = zero, rest_lost = zero, first = zero,
      total = zero;
    V loss = zero, lost = zero, sum_low;
    FN(FlRowSoftmax) s;
    for (ptrdiff_t k = 0; k < t->n; k++) {
        const V a = vsplat(t->per_output ? t->per_output[k] : R(0.0));
        const V w = vsplat(t->class_weight ? t->class_weight[k] : R(1.0));
        const V target =
            soft ? vload(t->target + k * LANES) : vselect(FN(fl_row_is)(t->label, k), one, zero);
        const V part = w * (keep * target + floor);
        V low;
        const V sum = two_sum(vload(t->f + k * LANES), a, &low);
        vstore(x + k * LANES, sum);
        vstore(x_low + k * LANES, low);
        vstore(q + k * LANES, part);
        total = total + part;
        /* the largest pair: of equal sums the low parts tell */
        max_low = vselect((sum > max) | ((sum == max) & (low > max_low)), low, max_low);
        max = vmax(sum, max);
    }
    for (ptrdiff_t k = 0; k < t->n; k++) {
        const V value = vload(x + k * LANES), value_low = vload(x_low + k * LANES);
        V d_low;
        const V d = FN(fl_adjusted_gap)(value, value_low, max, max_low, &d_low);
        const V y = vexp_nonpositive(d), more = y + y * d_low;
        const VI top = (value == max) & (value_low == max_low) & (first == zero);
        first = vselect(top, one, first);
        add_carrying(&rest, &rest_lost, vselect(top, zero, more));
        vstore(e + k * LANES, vselect(top, one, more));
    }
    s.rest = rest + rest_lost;
    s.sum = one + s.rest;
    sum_low = (s.rest - (s.sum - one)) + (rest_lost - (s.rest - rest));
    s.sum_low = sum_low;
    s.inverse = one / s.sum;
    const V log_sum = vlog1p(s.rest), normaliser = max + (max_low + log_sum);
    const V penalty = t->p[1] * normaliser;
    for (ptrdiff_t k = 0; k < t->n; k++) {
        const V part = vload(q + k * LANES);
        V d_low;
        const V d = FN(fl_adjusted_gap)(vload(x + k * LANES), vload(x_low + k * LANES), max,
                                        max_low, &d_low);
        const V log_p = (log_sum - d_low) - d;
        /* a target of 0 drops its term: 0 * inf would be NaN */
        add_carrying(&loss, &lost,
                     vselect((part > zero) | (log_p != log_p), FN(fl_opaque)(part * log_p), zero));
    }
    for (ptrdiff_t k = 0; k < t->n && (wants & (FL_WANT_GRADIENT | FL_WANT_HESSIAN)); k++) {
        const V part = vload(q + k * LANES), value = vload(e + k * LANES);
        const V p = FN(fl_row_share)(value, zero, &s), not_p = FN(fl_row_not)(&s, value);
        if (wants & FL_WANT_GRADIENT)
            vstore(t->gradient + k * LANES,
                   (FN(fl_opaque)((total - part) * p) - FN(fl_opaque)(part * not_p)) +
                       FN(fl_opaque)((penalty + penalty) * p));
        if (wants & FL_WANT_HESSIAN)
            vstore(t->hessian + k * LANES,
                   FN(fl_opaque)((total + (penalty + penalty)) * p) * not_p +
                       t->p[2] * FN(fl_opaque)(p * p));
    }
    return carried(loss, lost) + FN(fl_opaque)(penalty * normaliser);
}
