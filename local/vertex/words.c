#include "local/vertex/words.h"

#include <strings.h>

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

struct fn_bytes
word_next(struct fn_bytes *rest)
{
	while (rest->size > 0 && !is_letter(rest->at[0]))
		*rest = (struct fn_bytes){rest->at + 1, rest->size - 1};
	struct fn_bytes word = {rest->at, 0};
	while (word.size < rest->size && is_letter(rest->at[word.size]))
		word.size++;
	*rest = (struct fn_bytes){rest->at + word.size, rest->size - word.size};
	return word;
}

bool
word_is_among(struct fn_bytes word, const char *names)
{
	struct fn_bytes rest = fn_bytes(names);

	while (rest.size > 0) {
		struct fn_bytes name = fn_bytes_cut(&rest, ' ');
		struct fn_bytes ending = {word.at + name.size, word.size - name.size};

		if (word.size >= name.size && strncasecmp(word.at, name.at, name.size) == 0 &&
			(ending.size == 0 || fn_bytes_is_nocase(ending, "s") ||
				fn_bytes_is_nocase(ending, "es")))
			return true;
	}
	return false;
}
