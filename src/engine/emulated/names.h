#pragma once
// What is emulated has another name than what the machine does itself.

#define AJAR_EMULATED  // a register of 64 bytes is none here
#define multiply_vnni emulated_vnni
#define multiply_avxvnni emulated_avxvnni
#define multiply_amx emulated_amx
#define multiply_amx_integer emulated_amx_integer
#define attend_amx emulated_attend_amx
#define peak_avxvnni emulated_peak_avxvnni
#define peak_amx emulated_peak_amx
