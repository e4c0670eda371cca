#include "curl_loader.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

#define LIBRARY "libcurl.so.4"

#define PLACE(function)                                                                            \
	{                                                                                          \
		"curl_" #function, offsetof(struct curl_api, function)                             \
	}

static const struct {
	const char *name;
	size_t into;
} symbols[] = {
	PLACE(global_init),
	PLACE(easy_init),
	PLACE(easy_reset),
	PLACE(easy_cleanup),
	PLACE(easy_setopt),
	PLACE(easy_perform),
	PLACE(easy_getinfo),
	PLACE(easy_strerror),
	PLACE(easy_nextheader),
};

bool
curl_load(struct curl_api *api, struct fn_error *err)
{
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	for (size_t i = 0; library && i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		void *symbol = dlsym(library, symbols[i].name);

		if (!symbol)
			return fn_fail(err, FN_INTERNAL, "%s", dlerror());
		memcpy((char *)api + symbols[i].into, &symbol, sizeof(symbol));
	}
	return library || fn_fail(err, FN_INTERNAL, "%s", dlerror());
}
