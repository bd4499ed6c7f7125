/* What the losses and functions of the lists are called, and which labels and links they have. Apart from
 * dispatch.c, which brings all kernels with it: one module holds those, others want the names alone. */
#include "kernels.h"

const FlPointwiseInfo fl_pointwise_info[FL_N_POINTWISE] = {
#define FL_POINTWISE(name, labels, link, stage) {#name, FL_LABELS_##labels, FL_LINK_##link},
#include "losses.def"
#undef FL_POINTWISE
};

const FlRowInfo fl_row_info[FL_N_ROWS] = {
#define FL_ROW(name, labels) {#name, FL_ROW_##labels},
#include "rows.def"
#undef FL_ROW
};

const char *const fl_unary_names[FL_N_UNARY] = {
#define FL_UNARY(name) #name,
#include "unary.def"
#undef FL_UNARY
};
