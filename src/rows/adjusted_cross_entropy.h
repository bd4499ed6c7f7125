/* Softmax cross-entropy on adjusted logits x_k = f_k + a_k with a penalty on the normaliser, for class
 * labels; adjusted_soft_cross_entropy.h is the same for rows of targets. With q_k = w_k ((1 - s) t_k + s / n)
 * (w the class weights, s the smoothing), Q their sum, p the softmax of x and L = log sum e^x:
 *     loss     = sum_k q_k (-log p_k) + z L^2
 *     gradient = -q_k (1 - p_k) + (Q - q_k) p_k + 2 z L p_k
 *     Hessian  = (Q + 2 z L) p_k (1 - p_k) + 2 z p_k^2
 * The sum f_k + a_k is carried with its rounding error. Parameters: p[0] = s, p[1] = z, p[2] = 2 z; class_weight; per_output:
 * a_k, 0 by default.
 */
#include "rows/adjusted_softmax.h"

FL_INLINE V FN(adjusted_cross_entropy)(const FN(FlRowTile) * t, int wants)
{
    return FN(fl_adjusted_softmax)(t, 0, wants);
}
