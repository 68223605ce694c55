// SPDX-License-Identifier: GPL-2.0-only
#include "report/html_page.h"

/* The assembler copies the file, so that the build needs no tool for it. make builds in the top folder. */
__asm__(".section .rodata\n"
	".global fw_html_page, fw_html_page_end\n"
	"fw_html_page: .incbin \"web/dist/report.html\"\n"
	"fw_html_page_end: .byte 0\n"
	".previous\n");
