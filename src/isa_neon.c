/* The kernels for aarch64 (NEON, fused multiply-add). */
#define FL_ISA neon
#include "kernels.inc"
