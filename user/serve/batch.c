// SPDX-License-Identifier: GPL-2.0-only
#include "serve/batch.h"

#include <stdlib.h>

void fw_batch_free(struct fw_batch *batch)
{
	while (batch) {
		struct fw_batch *next = batch->next;

		fw_buf_free(&batch->body);
		free(batch);
		batch = next;
	}
}
