// A contestant of the bench: a Worker that does nothing. Its figures are the cost of the platform.

export default { fetch: () => new Response("ok") };
