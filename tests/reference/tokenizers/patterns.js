// Regular expressions of which Oniguruma and .NET do not mean the same, or might not, and texts that tell.
const behaviors = ['Isolated', 'Removed', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'];

export const patterns = [
  ...behaviors.flatMap(behavior => [false, true].map(invert => [String.raw`b+?`, 'abbcbbbaab', behavior, invert])),
  ...behaviors.flatMap(behavior => [false, true].map(invert => ['a*', 'baabcab', behavior, invert])),
  ...behaviors.map(behavior => ['(?=a)', 'baab', behavior, false]),
  ['^a', 'a\na\nb a'], ['a$', 'a\na\nba'], ['$', 'a\nb\n'], ['^', 'a\nb\n\n'], [String.raw`\s+$`, 'x \n y \n'], [String.raw`\s++$`, 'x \n y  \n'],
  ['x{,2}', 'xxxxx'], ['x{2,}', 'xxxyx'], ['x{2}', 'xxxxx'], ['x{1,2}?', 'xxxxx'], [String.raw`\p{N}{1,3}+`, '1234567a12'], ['x{2}+', 'xxxxx'],
  ['a++b', 'aab'], ['a?+', 'aab'], ['(?:ab)*+a', 'ababa'], ['(?>a+)b', 'aab'], ['(a|b)+', 'abcab'], ['(?<=a)b', 'abb'], ['(?<!a)b', 'abb'],
  ["(?i:'s|'t|'re|'ve|'m|'ll|'d)", "'S 'ſ 's 'LL 'Ll 'K 'Re"], ["'(?i:[sdmt]|ll|ve|re)", "'S 'ſ 'D 'vE 'K"], ['(?i:k)', 'KkK'], ['(?i:[^s])', 'sſS.'],
  ['(?i:[a-z]+)', 'aZſKé'], ['(?i:a(?-i:b))', 'AbABabaB'], ['(?i:i)', 'iIİı'],
  ['.', 'a\nb\r\u0085\u2028'], [String.raw`\w+`, 'a_b c²d ½ Ⓐ🄰 e\u0301 ٣ x-y'], [String.raw`[\w-]+`, 'a-b c'], [String.raw`\W+`, 'a_b c²🄰 !x'], [String.raw`\d+`, '1٣२½Ⅷ²'],
  [String.raw`\D`, 'a1٣'], [String.raw`[^\d]`, 'a1٣'], [String.raw`\S+`, 'a b\u0085c\u00A0d\u200B\u180Ee'], [String.raw`[^\S\n]+`, 'a \n b'],
  ['[]a]', 'a]b'], ['[^]a]', 'a]b'], [String.raw`[a\-z]`, 'a-zb'], ['[a-]', 'a-b'], ['[-a]', 'a-b'], ['[!-/]', '#a'], ['[a&b]', '&a'],
  [String.raw`[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_\x60{|}~]+`, 'a[b]\\c^d`e-f'],
  [String.raw`\u0062|\x63|\x{64}`, 'abcd'], [String.raw`[\x{4E00}-\x{9FA5}]+`, 'a漢字b'], [String.raw`\n|\r|\t|\f|\v|\a|\e`, 'a\nb\tc\rd\fe\vf\x07g\x1bh'],
  [String.raw`\Aa`, 'aa'], [String.raw`a\z`, 'a\na'], [String.raw`a\Z`, 'aa\n'], [String.raw`\/|\-|\"|\_|\#|\ `, 'a/b-c"d_e#f g'],
  [String.raw`\p{L}|\P{L}\p{N}`, 'a1 2'], [String.raw`[\P{L}\n]+`, 'a1\nb'],
].map(([pattern, text, behavior = 'Isolated', invert = false]) => ({ pattern, text, behavior, invert }));

// What each matches of all code points.
export const classes = [
  String.raw`\s`, String.raw`\S`, String.raw`\w`, String.raw`\W`, String.raw`\d`, String.raw`\D`, '.', '(?i:s)', '(?i:k)', '(?i:[a-z])', '(?i:[^a-z])',
  ...'L Lu Ll Lt Lm Lo M Mn Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po S Sm Sc Sk So Z Zs Zl Zp C Cc Cf Co Cn'.split(' ').map(name => `\\p{${name}}`),
];
