#include "adapters/wire/support_codes.h"

#include <ctype.h>

static const struct {
	uint64_t code;
	const char *subject;
} codes[] = {
	{58061214, "children"},
	{17301594, "children"},
	{29310472, "a celebrity"},
	{15236754, "a celebrity"},
	{64151117, "a celebrity or a child"},
	{62263041, "dangerous content"},
	{57734940, "hate"},
	{22137204, "hate"},
	{39322892, "people or faces"},
	{92201652, "personal data"},
	{89371032, "prohibited content"},
	{49114662, "prohibited content"},
	{72817394, "prohibited content"},
	{90789179, "sexual content"},
	{63429089, "sexual content"},
	{43188360, "sexual content"},
	{78610348, "toxic content"},
	{61493863, "violence"},
	{56562880, "violence"},
	{32635315, "vulgar content"},
	{74803281, "other content"},
	{29578790, "other content"},
	{42876398, "other content"},
};

static struct fn_bytes
next_number(struct fn_bytes *rest)
{
	size_t from = 0, to;

	while (from < rest->size && !isdigit((unsigned char)rest->at[from]))
		from++;
	for (to = from; to < rest->size && isdigit((unsigned char)rest->at[to]);)
		to++;
	struct fn_bytes number = {rest->at + from, to - from};
	*rest = (struct fn_bytes){rest->at + to, rest->size - to};
	return number;
}

const char *
support_code_subject(struct fn_bytes text)
{
	struct fn_bytes number;
	uint64_t code;

	while ((number = next_number(&text)).size > 0) {
		if (!fn_bytes_number(number, UINT32_MAX, &code))
			continue;
		for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
			if (codes[i].code == code)
				return codes[i].subject;
	}
	return NULL;
}
