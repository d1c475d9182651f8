// What the providers do in the host: nothing, immediately.

exports.of = (kind) => ({
  check: async (_olds, news) => ({ inputs: news, failures: [] }),
  diff: async () => ({ changes: false }),
  create: async (news) => ({ id: `${kind}-000000000000`, outs: news }),
  read: async (id, props) => ({ id, props, inputs: props }),
  update: async (_id, olds, news) => ({ outs: { ...olds, ...news } }),
  delete: async () => undefined,
});
