/* pages.h: the two pages of the local issuer, in the dress of Phoenix's own. */
#ifndef PAGES_H
#define PAGES_H

#define PAGE_HEAD                                                                                  \
	"<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"                  \
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"               \
	"<meta name=\"color-scheme\" content=\"light dark\">\n<title>Sign in - Phoenix</title>\n"  \
	"<link rel=\"stylesheet\" href=\"/style.css\">\n</head>\n<body>\n<main>\n"
#define PAGE_FOOT "</main>\n</body>\n</html>\n"

#define PAGE_ASK                                                                                   \
	PAGE_HEAD                                                                                  \
	"<h1>Sign in</h1>\n<form class=\"card\" method=\"post\" action=\"/issuer\">\n"             \
	"<label for=\"name\">Who would you like to be on this machine?</label>\n"                  \
	"<input id=\"name\" class=\"field\" name=\"name\" required maxlength=\"32\" "              \
	"pattern=\"[a-z0-9_\\-]+\" "                                                               \
	"autocomplete=\"username\" autofocus>\n<button class=\"primary\">Get a token</button>\n"   \
	"</form>\n" PAGE_FOOT

/* A name, minutes, the token, the origin, the token again. */
#define PAGE_TELL                                                                                  \
	PAGE_HEAD                                                                                  \
	"<h1>You are %.*s</h1>\n<section class=\"card\">\n"                                        \
	"<p><label for=\"token\">Your token, for %ld minutes:</label></p>\n"                       \
	"<p><input id=\"token\" class=\"field\" readonly value=\"%.*s\"></p>\n"                    \
	"<p><label for=\"line\">To ask who you are, paste:</label></p>\n"                          \
	"<p><input id=\"line\" class=\"field\" readonly value=\"curl %s/api/me -H "                \
	"'Authorization: Bearer %.*s'\"></p>\n</section>\n" PAGE_FOOT

#endif
