/* What exponentials are multiplied by for gradients and Hessians.
 *
 * Included once per precision, after softmax.h.
 */
/* A number and its rounding error. p_k = e_k / (A + S) has its own rounding and those of e and S to bear;
 * the sum's and the quotient's would make it more than 3 ULP, and an exact factor costs one more product
 * a class. */
typedef struct {
    V high, low;
} FN(FlFactor);

/* 1 / (A + S) */
FL_INLINE FN(FlFactor) FN(fl_softmax_inverse)(const FN(FlExpSum) * s)
{
    FN(FlFactor) f;
    const V sum = s->top + s->rest, kept = sum - s->top;
    const V lost = ((s->top - (sum - kept)) + (s->rest - kept)) + s->low;
    f.high = R(1.0) / sum;
#if FL_HAS_FMA
    /* exactly: what a quotient leaves is a number of this type */
    const V rest = FN(fl_fused)(-f.high, sum, vsplat(R(1.0)));
#else
    V error;
    const V product = FN(fl_product)(f.high, sum, &error);
    const V rest = (R(1.0) - product) - error;
#endif
    f.low = (rest - f.high * lost) * f.high;
    return f;
}

FL_INLINE FN(FlFactor) FN(fl_scale_factor)(FN(FlFactor) f, FN(FlFactor) by)
{
    FN(FlFactor) scaled;
    V error;
    scaled.high = FN(fl_product)(f.high, by.high, &error);
    scaled.low = error + (f.low * by.high + f.high * by.low);
    return scaled;
}

/* x f - less, which may cancel: the product is exact */
FL_INLINE V FN(fl_times_less)(V x, FN(FlFactor) f, FN(FlFactor) less)
{
#if FL_HAS_FMA
    return FN(fl_fused)(x, f.high, -less.high) + (x * f.low - less.low);
#else
    V error;
    const V product = FN(fl_product)(x, f.high, &error);
    return (product - less.high) + (error + (x * f.low - less.low));
#endif
}

FL_INLINE V FN(fl_times)(V x, FN(FlFactor) f)
{
    return x * f.high + x * f.low;
}

/* p (1 - p) of a sample, times an outer factor, from e: the products of numbers that have errors of their own
 * are kept exact as far as it goes. A, S and one of the two 1 / (A + S) are without the 2^FL_LIFT, so that
 * nothing overflows. */
typedef struct {
    V top, rest;
    FN(FlFactor)
    inverse, outer; /* 1 / (A + S), and the lifted one times what multiplies p (1 - p) */
} FN(FlHessian);

FL_INLINE FN(FlHessian) FN(fl_begin_hessian)(V top, V rest, FN(FlFactor) inverse, FN(FlFactor) by)
{
    const FN(FlFactor) whole = {inverse.high * FL_RAISE, inverse.low * FL_RAISE};
    const FN(FlHessian)
        h = {top * FL_UNLIFT, rest * FL_UNLIFT, whole, FN(fl_scale_factor)(inverse, by)};
    return h;
}

FL_INLINE V FN(fl_hessian_of)(const FN(FlHessian) * h, V e)
{
    V error;
#if FL_HAS_FMA
    const V others = h->rest + (h->top - e * FL_UNLIFT);
    const V product = FN(fl_product)(e, others, &error);
#else /* where the products below are rounded once more, these sums are not */
    V apart_low, others_low;
    const V apart = FN(fl_two_sum)(h->top, -(e * FL_UNLIFT), &apart_low);
    const V others = FN(fl_two_sum)(h->rest, apart, &others_low);
    const V product = FN(fl_product)(e, others, &error);
    error = error + e * (others_low + apart_low);
#endif
    return FN(fl_times)(
        product * h->inverse.high + (product * h->inverse.low + error * h->inverse.high), h->outer);
}
