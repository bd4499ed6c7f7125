/* What the row losses share: sums without their rounding errors, and the softmax of a tile.
 *
 * Included once per precision, after vecmath.h and multiclass/tile.h.
 */
#define two_sum FN(fl_finite_sum)
#define add_carrying FN(fl_add_carrying)
#define carried FN(fl_carried)

/* *sum += term; what is lost to rounding joins *lost, which is NaN once the sum is not finite. */
FL_INLINE void add_carrying(V *sum, V *lost, V term)
{
    V error;
    *sum = FN(fl_two_sum)(*sum, term, &error);
    *lost = *lost + error;
}

/* The sum with what it lost */
FL_INLINE V carried(V sum, V lost)
{
    return sum + vkeep(vabs(sum) <= REAL_MAX, lost);
}

/* (a - b) + c with c a number of order 1: rounded about once. */
FL_INLINE V FN(fl_sum_of_three)(V a, V b, V c)
{
    V first, second;
    const V difference = two_sum(a, -b, &first), sum = two_sum(difference, c, &second);
    return sum + (first + second);
}

/* e^(d + d_low) of a difference and its rounding error, d <= 0: textbook code leaves that, up to |d| / 2 ULP. Far
 * below, where the exponential is 0, that may be of any size. */
FL_INLINE V FN(fl_exp_of_difference)(V d, V d_low)
{
    return FN(fl_exp_headroom_of_sum)(d, vkeep(d >= EXP_LOWEST, d_low)) * EXP_BACK;
}

/* e^(f_k - max) of a tile, max itself being the largest. */
typedef struct {
    V max;
    V rest;     /* the sum of all e but one of the largest, which are 1 */
    V others;   /* the sum of all e but the label's */
    V others_low; /* its rounding error */
    V sum;      /* 1 + rest */
    V sum_low;  /* its rounding error */
    V inverse;  /* 1 / sum */
    V raw;      /* f at the label */
} FN(FlRowSoftmax);

FL_INLINE FN(FlRowSoftmax) FN(fl_row_softmax)(const REAL *f, ptrdiff_t n, VI label, REAL *e)
{
    const V zero = vsplat(R(0.0)), one = vsplat(R(1.0));
    V max = vload(f), raw = max, rest = zero, rest_lost = zero, others = zero, others_lost = zero;
    V first = zero; /* 1 once a largest element has been met */
    FN(FlRowSoftmax) s;
    for (ptrdiff_t k = 1; k < n; k++) {
        const V x = vload(f + k * LANES);
        max = vmax(x, max); /* NaN is lost here, and comes back through the exponentials */
        raw = vselect(label == vsplat_int((INT)k), x, raw);
    }
    for (ptrdiff_t k = 0; k < n; k++) { /* alone: each is a long chain */
        V error;
        const V d = FN(fl_two_sum)(vload(f + k * LANES), -max, &error);
        vstore(e + k * LANES, FN(fl_exp_of_difference)(d, error));
    }
    for (ptrdiff_t k = 0; k < n; k++) {
        const V x = vload(f + k * LANES), y = vload(e + k * LANES);
        const V joins = vselect((x == max) & (first == zero), zero, y);
        first = vselect(x == max, one, first);
        add_carrying(&rest, &rest_lost, joins);
        add_carrying(&others, &others_lost, vselect(label == vsplat_int((INT)k), zero, y));
    }
    s.max = max;
    s.raw = raw;
    s.rest = rest + rest_lost;
    s.others = others + others_lost;
    s.others_low = others_lost - (s.others - others);
    s.sum = one + s.rest;
    s.sum_low = (s.rest - (s.sum - one)) + (rest_lost - (s.rest - rest));
    s.inverse = one / s.sum;
    return s;
}

/* a / sum to about half an ULP more than a has: what a product with the inverse lacks of it is put back */
FL_INLINE V FN(fl_row_share)(V a, V a_low, const FN(FlRowSoftmax) * s)
{
    V error;
    const V q = FN(fl_opaque)(a * s->inverse), back = FN(fl_product)(q, s->sum, &error);
    return q + ((((a - back) - error) + a_low) - q * s->sum_low) * s->inverse;
}

/* -log p of the label: (max - f) + log1p(rest), two terms that are not negative */
FL_INLINE V FN(fl_row_log_loss)(const FN(FlRowSoftmax) * s)
{
    V error;
    const V gap = two_sum(s->max, -s->raw, &error);
    return gap + (vlog1p(s->rest) + error);
}

/* What belongs to one class: 1 where it is the label, else 0 */
FL_INLINE VI FN(fl_row_is)(VI label, ptrdiff_t k)
{
    return label == vsplat_int((INT)k);
}

/* (sum - e_k) / sum = 1 - p_k, by a sum that does not cancel: where e_k is the largest, the rest. */
FL_INLINE V FN(fl_row_not)(const FN(FlRowSoftmax) * s, V e)
{
    return vselect(e == R(1.0), s->rest, (s->rest - e) + R(1.0)) / s->sum;
}
