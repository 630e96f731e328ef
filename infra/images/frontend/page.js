// Shows what the bundle itself says it is: nothing here comes from the server or from the request.
const show = (id, text) => {
  document.getElementById(id).textContent = text;
};

function idOf(exported) {
  if (typeof exported?.getId === 'function') return exported.getId();
  if (exported?.$$type === '@backstage/FrontendPlugin') return exported.pluginId ?? exported.id;
  return undefined;
}

try {
  const { plugin, name, version } = await import('/assets/plugin.js');
  const id = Object.values(plugin).map(idOf).find(Boolean);
  show('plugin-id', id ?? Object.keys(plugin)[0]);
  show('plugin-release', `${name}@${version}`);
  show('plugin-exports', Object.keys(plugin).join(', '));
  document.body.dataset.state = 'loaded';
} catch (problem) {
  show('plugin-id', 'The plugin could not be loaded');
  show('plugin-release', String(problem));
  document.body.dataset.state = 'failed';
}
