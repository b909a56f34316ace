// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// For loops over many numbers: compiled for what most machines have, for AVX2 and for AVX-512, and chosen when the program starts. Files
// that use it are compiled with -O3, and where all variants must give the same bits without fused multiply-adds.

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define SCONCE_FOR_EVERY_CPU __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define SCONCE_FOR_EVERY_CPU
#endif
