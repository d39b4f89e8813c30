/** A chart for the docs: one bar per contender, its length the median, with a line from the slowest run to the fastest. Pure. */
import { rateOfGroup, ratesOf } from './groups.ts';
import type { Group, Report } from './model.ts';

const width = 760;
const labels = 170;
const figures = 110;
const bar = 14;
const row = 20;
const head = 34;
const gap = 12;
const bars = width - labels - figures;

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
const at = (value: number): string => String(Math.round(value * 10) / 10);

/** Readable on a light page and on a dark one. */
const style = `text{font:12px system-ui,sans-serif;fill:#24292f}.title{font-weight:600}.ours{fill:#0a7d5a}.other{fill:#8c959f}.reference{fill:#c9d1d9}.spread{stroke:#24292f;stroke-width:1}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.ours{fill:#2ea88a}.other{fill:#6e7681}.reference{fill:#30363d}.spread{stroke:#e6edf3}}`;

const kindOf = (name: string): string => (name.startsWith('peerd') ? 'ours' : name === 'cp' || name.includes('loop') ? 'reference' : 'other');

const groupChart = (group: Group, top: number): { svg: string; height: number } => {
  const found = group.rows.flatMap((measured) => {
    const rates = ratesOf(group, measured);
    return rates ? [{ name: measured.name, rates }] : [];
  });
  const longest = Math.max(...found.map(({ rates }) => rates.max));
  const length = (value: number): number => (value / longest) * bars;
  const rows = found.map(({ name, rates }, index) => {
    const y = top + head + index * row;
    const middle = y + bar / 2;
    return [
      `<text x="${labels - 8}" y="${at(middle + 4)}" text-anchor="end">${escaped(name)}</text>`,
      `<rect class="${kindOf(name)}" x="${labels}" y="${y}" width="${at(length(rates.median))}" height="${bar}" rx="2"/>`,
      `<line class="spread" x1="${at(labels + length(rates.min))}" x2="${at(labels + length(rates.max))}" y1="${at(middle)}" y2="${at(middle)}"/>`,
      `<text x="${at(labels + length(Math.max(rates.median, rates.max)) + 6)}" y="${at(middle + 4)}">${escaped(rateOfGroup(group, rates.median))}</text>`,
    ].join('');
  });
  return { svg: `<text class="title" x="8" y="${top + 20}">${escaped(`${group.title}, ${group.medium}`)}</text>\n${rows.join('\n')}`, height: head + found.length * row + gap };
};

/** Of the groups that are for it; undefined when nothing of them was measured. */
export const chartOf = ({ cases }: Report): string | undefined => {
  const parts: string[] = [];
  let top = 0;
  for (const group of cases.flatMap(({ groups }) => groups)) {
    if (!group.isDrawn || !group.rows.some((measured) => ratesOf(group, measured))) continue;
    const { svg, height } = groupChart(group, top);
    parts.push(svg);
    top += height;
  }
  if (parts.length === 0) return undefined;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${top}" width="${width}" height="${top}" role="img" aria-label="Throughput, longer is better">\n<style>${style}</style>\n${parts.join('\n')}\n</svg>\n`;
};
