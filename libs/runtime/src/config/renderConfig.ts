import type { ConfigSchema, Setting } from './defineConfig';

/** The text of an `.env.example`: every setting with its meaning; what has a default or is optional is commented out. */
export function renderEnvExample(schema: ConfigSchema): string {
  return grouped(schema)
    .map(([group, settings]) =>
      [...(group === '' ? [] : [`## ${group}`, '']), ...settings.map(envEntry)].join('\n'),
    )
    .join('\n');
}

function envEntry(setting: Setting<unknown>): string {
  const facts = [
    setting.type.label,
    ...(setting.unit === undefined ? [] : [`in ${setting.unit}`]),
    need(setting),
  ];
  const value = setting.default ?? setting.example ?? '';
  const isSet = isRequired(setting) || setting.requiredWhen !== undefined;
  const line = `${isSet ? '' : '# '}${setting.name}=${value}`;
  return `${wrap(`${setting.meaning} (${facts.join('; ')})`)}\n${line}\n`;
}

/** A markdown table of all settings, one per group. */
export function renderConfigTable(schema: ConfigSchema): string {
  return grouped(schema)
    .map(([group, settings]) =>
      [
        ...(group === '' ? [] : [`### ${group}`, '']),
        '| setting | type | unit | default | meaning |',
        '| --- | --- | --- | --- | --- |',
        ...settings.map(
          (s) =>
            `| \`${s.name}\` | ${cell(s.type.label)} | ${cell(s.unit ?? '')} | ${tableDefault(s)} | ${cell(s.meaning)}${s.secret === true ? ' Secret: never printed.' : ''} |`,
        ),
        '',
      ].join('\n'),
    )
    .join('\n');
}

function grouped(schema: ConfigSchema): [string, Setting<unknown>[]][] {
  const groups = new Map<string, Setting<unknown>[]>();
  for (const setting of Object.values(schema)) {
    const group = setting.group ?? '';
    groups.set(group, [...(groups.get(group) ?? []), setting]);
  }
  return [...groups];
}

const isRequired = (setting: Setting<unknown>): boolean =>
  setting.default === undefined && setting.optional !== true;

function need(setting: Setting<unknown>): string {
  if (isRequired(setting)) return 'required';
  if (setting.requiredWhen !== undefined) return `required ${setting.requiredWhen}`;
  return setting.default === undefined ? 'optional' : `default ${setting.default}`;
}

const tableDefault = (setting: Setting<unknown>): string =>
  setting.default === undefined ? need(setting) : `\`${cell(setting.default)}\``;

const cell = (value: string): string => value.replaceAll('|', '\\|').replaceAll('\n', ' ');

function wrap(sentence: string): string {
  const lines: string[] = [];
  let line = '#';
  for (const word of sentence.split(/\s+/)) {
    if (line.length + word.length + 1 > 110) {
      lines.push(line);
      line = '#';
    }
    line += ` ${word}`;
  }
  return [...lines, line].join('\n');
}
