/* What exponentials are multiplied by for gradients.
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
