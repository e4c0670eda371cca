// Passes each request on to the function whose route it is. Routes, and where the functions are,
// come from Terraform: see edge.tf.

function fits(template, path) {
	const wanted = template.split("/");
	const given = path.split("/");

	return wanted.length === given.length &&
		wanted.every((segment, i) => segment === given[i] || (segment === "*" && given[i] !== ""));
}

export default {
	async fetch(request, { ROUTES, ORIGINS, DEFAULT }) {
		const url = new URL(request.url);
		const route = ROUTES.find(([template]) => fits(template, url.pathname));
		const origin = ORIGINS[route ? route[1] : DEFAULT];

		return fetch(new Request(origin + url.pathname + url.search, request), { redirect: "manual" });
	},
};
