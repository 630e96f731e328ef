// Keeps releases that cannot be installed out of every range that would choose them. Which ones those are stands in package.json,
// oldest first: what is left of a range lies before, between and behind them. Alternatives that contradict themselves must not reach
// the package manager, because it takes one half of such a range and forgets the other.
const { excludedVersions } = require('./package.json');
const NOBODY = '0.0.0-left-out';

const gapsBetween = versions => [...versions, undefined].map((version, index) =>
  [index > 0 && `>${versions[index - 1]}`, version && `<${version}`].filter(Boolean).join(' '));

function without(range, versions) {
  const semver = require('semver');
  if (!semver.validRange(range)) return range;
  const parts = range.split('||').map(part => part.trim() || '*');
  const left = parts.flatMap(part => gapsBetween(versions).filter(gap => semver.intersects(part, gap)).map(gap => `${part} ${gap}`));
  return [...left, NOBODY].join(' || ');
}

module.exports = {
  hooks: {
    readPackage(manifest) {
      for (const dependencies of [manifest.dependencies, manifest.optionalDependencies]) {
        for (const [name, versions] of Object.entries(excludedVersions)) {
          if (dependencies?.[name]) dependencies[name] = without(dependencies[name], versions);
        }
      }
      return manifest;
    },
  },
};
