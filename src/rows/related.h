/* What a loss of hard labels whose gradient is a multiple of the softmax but at the label is asked for, and what
 * it answers: see related.inc and multiclass/relatives.h. No sample here is far from 0 or hopeless.
 *
 * Included once per precision, before the loss. A loss defines FN(<name>_related), whether that asks for a
 * log_sum (FL_RELATED_LOG_SUM), for a number (FL_RELATED_NUMBER), or in place of the former for what log_loss was
 * rounded by (FL_RELATED_LOG_LOW), whether its `outer` may be other than 1 (FL_RELATED_OUTER), and
 * FN(<name>_is_related): whether a block of at least two classes can be done so.
 */
#include "multiclass/softmax.h"

#include "multiclass/factor.h"

#include "multiclass/hard_chunk.h"

#define FL_ROW_RELATED

typedef struct {
    int logs; /* whether log_sum is known: if p[1] is not 0. A constant */
    V own, own_low, others, low; /* E, S and their rounding errors, times a power of two */
    FN(FlFactor) inverse; /* 1 / (E + S) */
    V log_loss; /* log1p(S / E) */
    V log_low; /* its rounding error, if it is asked for; by default 0 */
    V log_sum; /* log of the sum of e^logit */
    V number; /* per_output of the label, if it is asked for; by default 1 */
    FN(FlFactor) weight;
} FN(FlRelatedSums);

/* p of the label */
FL_INLINE V FN(fl_related_own)(const FN(FlRelatedSums) * s)
{
    return FN(fl_times)(s->own, s->inverse) + s->own_low * s->inverse.high;
}

/* The loss without its weight; gradient_k is (e_k * factor) * outer. */
typedef struct {
    V loss, outer, at_label;
    FN(FlFactor) factor;
} FN(FlRelatedTerms);

/* of which the gradient is (p_k - [k = y]) slope (1 + lacks) */
FL_INLINE void FN(fl_related_gradient_of)(const FN(FlRelatedSums) * s, V slope, V lacks,
                                          FN(FlRelatedTerms) * terms)
{
    FN(FlFactor) factor = FN(fl_scale_factor)(s->inverse, s->weight);
    factor.low = factor.low + factor.high * lacks;
    terms->factor = factor;
    terms->outer = slope;
    /* 0, not -0 */
    terms->at_label = R(0.0) - (FN(fl_times)(s->others, factor) + s->low * factor.high) * slope;
}
