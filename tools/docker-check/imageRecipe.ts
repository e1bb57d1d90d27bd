import { DockerfileParser, type Instruction } from 'dockerfile-ast';

/** A file or directory that an image gets from somewhere else. */
export interface CopiedFile {
  /** The stage that it comes from; `null`: the directory that is built. */
  readonly stage: string | null;
  readonly from: string;
  /** Absolute, in the image. */
  readonly to: string;
  /** Permissions as they were asked for, octal. */
  readonly chmod: string | null;
}

/** What an image is, as far as its recipe says it. */
export interface Image {
  /** What it is made from at last. */
  readonly base: string;
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly files: readonly CopiedFile[];
  readonly workdir: string;
  readonly user: string | null;
  readonly entrypoint: readonly string[] | null;
  readonly healthcheck: {
    readonly command: readonly string[];
    readonly flags: Readonly<Record<string, string>>;
  } | null;
  readonly stopSignal: string | null;
  readonly ports: readonly string[];
  /** Commands that are run in it while it is built. */
  readonly runs: readonly string[];
}

/** The stages of a recipe, in order, each as an image. */
export type ImageRecipe = ReadonlyMap<string, Image>;

const NOTHING: Image = {
  base: '',
  env: {},
  labels: {},
  files: [],
  workdir: '/',
  user: null,
  entrypoint: null,
  healthcheck: null,
  stopSignal: null,
  ports: [],
  runs: [],
};

/**
 * Reads what our recipe uses of Dockerfiles: a stage that begins with another one has all that it has.
 * @throws {Error} on an instruction, or a form of it, that it does not know: what is not understood is not checked.
 */
export function readRecipe(text: string): ImageRecipe {
  const dockerfile = DockerfileParser.parse(text);
  const args: Record<string, string> = {};
  const stages = new Map<string, Image>();
  let name = '';
  let image: Image = NOTHING;
  for (const instruction of dockerfile.getInstructions()) {
    const keyword = instruction.getKeyword();
    const content = (instruction.getArgumentsContent() ?? '').trim();
    if (keyword === 'ARG') {
      const [key = '', value = ''] = content.split('=');
      args[key] = value;
    } else if (keyword === 'FROM') {
      const [, source = '', stage = ''] = /^(\S+) AS ([a-z0-9-]+)$/.exec(content) ?? [];
      if (stage === '') throw new Error(`FROM ${content}: every stage has a name`);
      name = stage;
      const base = source.replace(/\$\{(\w+)\}/g, (_all, key: string) => args[key] ?? '');
      image = stages.get(base) ?? { ...NOTHING, base };
    } else {
      image = applied(image, keyword, content, instruction);
    }
    if (name !== '') stages.set(name, image);
  }
  return stages;
}

function applied(image: Image, keyword: string, content: string, instruction: Instruction): Image {
  const flags = flagsOf(instruction);
  switch (keyword) {
    case 'ENV':
      return { ...image, env: { ...image.env, ...pairsOf(content) } };
    case 'LABEL':
      return { ...image, labels: { ...image.labels, ...pairsOf(content) } };
    case 'WORKDIR':
      return { ...image, workdir: content };
    case 'USER':
      return { ...image, user: content };
    case 'STOPSIGNAL':
      return { ...image, stopSignal: content };
    case 'EXPOSE':
      return { ...image, ports: [...image.ports, ...content.split(/\s+/)] };
    case 'RUN':
      return { ...image, runs: [...image.runs, content] };
    case 'ENTRYPOINT':
      return { ...image, entrypoint: wordsOf(keyword, content) };
    case 'HEALTHCHECK':
      return { ...image, healthcheck: { command: wordsOf(keyword, content.replace(/^CMD\s+/, '')), flags } };
    case 'COPY':
      return { ...image, files: [...image.files, ...copied(image, content, flags)] };
    default:
      throw new Error(`${keyword} ${content}: an instruction that the check does not know`);
  }
}

function copied(image: Image, content: string, flags: Readonly<Record<string, string>>): CopiedFile[] {
  const paths = content.split(/\s+/);
  const target = paths.pop() as string;
  const isDirectory = target.endsWith('/') || paths.length > 1;
  const absolute = target.startsWith('/') ? target : `${image.workdir}/${target.replace(/^\.\/?/, '')}`;
  return paths.map((from) => ({
    stage: flags['from'] ?? null,
    from,
    to: isDirectory ? `${absolute.replace(/\/$/, '')}/${from.split('/').pop() ?? ''}` : absolute,
    chmod: flags['chmod'] ?? null,
  }));
}

/** Programs that run in an image are named without a shell, which would keep signals from them. */
function wordsOf(keyword: string, content: string): readonly string[] {
  try {
    return JSON.parse(content) as string[];
  } catch {
    throw new Error(`${keyword} ${content}: must be a list of words in JSON`);
  }
}

function flagsOf(instruction: Instruction): Record<string, string> {
  const withFlags = instruction as Instruction & {
    getFlags?: () => { getName(): string; getValue(): string | null }[];
  };
  return Object.fromEntries(
    (withFlags.getFlags?.() ?? []).map((flag) => [flag.getName(), flag.getValue() ?? '']),
  );
}

/** `A=1 B="two words"`. */
function pairsOf(content: string): Record<string, string> {
  const pairs = [...content.matchAll(/([\w.-]+)=("(?:[^"\\]|\\.)*"|\S+)/g)];
  return Object.fromEntries(
    pairs.map(([, key = '', value = '']) => [
      key,
      value.startsWith('"') ? (JSON.parse(value) as string) : value,
    ]),
  );
}
