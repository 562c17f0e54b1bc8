// draw/html_script_explorer.h: the part of an HtmlReport's script that lets the reader choose among heat maps
// (html_explorer.h).
#pragma once

namespace nunchi::draw {

constexpr const char* html_script_explorer = R"js(
// --- explorers

function bytesOf(base64) {
  const letters = atob(base64), bytes = new Uint8Array(letters.length);
  for (let i = 0; i < bytes.length; ++i) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

class Explorer {
  constructor(section) {
    this.section = section;
    this.data = JSON.parse(section.querySelector('script').textContent);
    const { rows, columns, perPatch, codes, ends, colors } = this.data;
    this.patches = rows * columns;
    this.codes = perPatch ? bytesOf(codes) : new Uint16Array(bytesOf(codes).buffer);
    this.none = perPatch ? 0xff : 0xffff;
    this.ends = new Float32Array(bytesOf(ends).buffer);
    this.colors = bytesOf(colors);
    this.small = make('canvas', { width: columns, height: rows });
    this.canvas = section.querySelector('.stage canvas');
    this.chosen = null;   // the patch from which the map is seen
    this.pointed = null;  // the patch whose value is told
    this.startControls();
    this.startStrip();
    this.startPointing();
    this.picture = new Image();
    this.picture.onload = () => this.resize();
    this.picture.src = this.canvas.dataset.picture;
  }

  startControls() {
    const find = selector => this.section.querySelector(selector);
    const choosable = this.data.axes.filter(axis => axis.choices.length > 1);
    this.axes = all('.axis', this.section).map((control, i) => ({ control, ...choosable[i] }));
    this.opacity = find('.opacity input');
    this.smooth = find('.check input');
    this.everywhere = find('.everywhere');
    find('form').addEventListener('submit', event => event.preventDefault());
    find('form').addEventListener('input', () => this.show());
    this.everywhere?.addEventListener('click', () => { this.choose(null); this.canvas.focus(); });
  }

  // The maps of the longest axis side by side; for the pointer and for print, as the axis has its control.
  startStrip() {
    const longest = this.data.axes.reduce((best, axis, i, axes) =>
        (axis.choices.length > axes[best].choices.length ? i : best), 0);
    const axis = this.data.axes[longest], most = 24;
    this.strip = { axis: longest, maps: [] };
    if (!axis || axis.choices.length < 2 || axis.choices.length > most) return;
    const { rows, columns } = this.data, control = this.axes.find(each => each.name === axis.name).control;
    axis.choices.forEach((choice, i) => {
      const canvas = make('canvas', { width: columns, height: rows });
      const button = make('button', { type: 'button', tabIndex: -1 }, canvas, choice);
      button.setAttribute('aria-label', `${axis.name} ${choice}`);
      button.addEventListener('click', () => {
        const buttons = all('input[type=radio]', control);
        if (buttons.length) buttons[i].checked = true;
        else control.querySelector('input').value = i;
        this.show();
      });
      this.strip.maps.push({ button, canvas });
    });
    this.section.querySelector('.strip').append(...this.strip.maps.map(({ button }) => button));
  }

  startPointing() {
    const { canvas } = this;
    canvas.addEventListener('pointermove', event => this.point(this.patchAt(event)));
    canvas.addEventListener('pointerdown', event => this.point(this.patchAt(event)));
    canvas.addEventListener('pointerleave', () => this.point(null));
    canvas.addEventListener('click', event => this.choose(this.patchAt(event)));
    canvas.addEventListener('keydown', event => this.key(event));
    canvas.addEventListener('blur', () => this.point(null));
  }

  patchAt(event) {
    const box = this.canvas.getBoundingClientRect(), { rows, columns } = this.data;
    const step = (share, count) => Math.min(count - 1, Math.max(0, Math.floor(share * count)));
    return step((event.clientY - box.top) / box.height, rows) * columns +
        step((event.clientX - box.left) / box.width, columns);
  }

  key(event) {
    const { rows, columns } = this.data;
    const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    const move = moves[event.key], at = this.pointed ?? Math.floor(rows / 2) * columns + Math.floor(columns / 2);
    if (move) {
      const row = Math.floor(at / columns) + move[0], column = at % columns + move[1];
      const inside = row >= 0 && row < rows && column >= 0 && column < columns;
      this.point(this.pointed === null || !inside ? at : row * columns + column);
    } else if (event.key === 'Enter' || event.key === ' ') {
      this.choose(at);
    } else if (event.key === 'Escape') {
      this.choose(null);
    } else {
      return;
    }
    event.preventDefault();
  }

  point(patch) {
    if (patch === this.pointed) return;
    this.pointed = patch;
    this.show();
  }

  choose(patch) {
    if (!this.data.perPatch) return;
    this.chosen = patch === this.chosen ? null : patch;
    this.show();
  }

  // The picture's own pixels, made larger until the lines around patches are fine.
  resize() {
    const { naturalWidth: width, naturalHeight: height } = this.picture;
    const times = Math.max(1, Math.ceil(900 / Math.max(width, height)));
    this.canvas.width = width * times;
    this.canvas.height = height * times;
    this.few = Math.max(width, height) <= 64;
    this.show();
  }

  // One index for each axis; an axis with one choice has no control.
  choices() {
    const controls = this.axes.values();
    const chosen = axis => Number(axis.control.querySelector('input:checked, input[type=range]').value);
    return this.data.axes.map(({ choices }) => (choices.length > 1 ? chosen(controls.next().value) : 0));
  }

  // Which line of values is shown: of the map that the controls say, from the chosen patch.
  line(choices = this.choices()) {
    const map = this.data.axes.reduce((index, axis, i) => index * axis.choices.length + choices[i], 0);
    return this.data.perPatch ? map * (1 + this.patches) + (this.chosen === null ? 0 : 1 + this.chosen) : map;
  }

  value(line, patch) {
    const code = this.codes[line * this.patches + patch];
    const least = this.ends[2 * line], greatest = this.ends[2 * line + 1];
    return code === this.none ? NaN : least + code / (this.none - 1) * (greatest - least);
  }

  show() {
    const choices = this.choices(), line = this.line(choices);
    this.showControls();
    if (line !== this.shown) this.showMaps(choices, line);
    this.shown = line;
    this.draw();
    this.tell(line);
  }

  showMaps(choices, line) {
    const [least, greatest] = this.colour(this.small, line);
    this.section.querySelector('.least').textContent = inWords(least);
    this.section.querySelector('.greatest').textContent = inWords(greatest);
    this.strip.maps.forEach(({ button, canvas }, i) => {
      this.colour(canvas, this.line(choices.map((each, axis) => (axis === this.strip.axis ? i : each))));
      button.setAttribute('aria-pressed', choices[this.strip.axis] === i);
    });
  }

  showControls() {
    for (const { control, choices } of this.axes) {
      const slider = control.querySelector('input[type=range]');
      if (!slider) continue;
      control.querySelector('b').textContent = choices[slider.value];
      slider.setAttribute('aria-valuetext', choices[slider.value]);
    }
    this.section.querySelector('.opacity b').textContent = `${this.opacity.value} %`;
    this.section.classList.toggle('squares', !this.smooth.checked);
    if (this.everywhere) this.everywhere.disabled = this.chosen === null;
  }

  // One pixel for each patch. Returns what the first and the last colour stand for.
  colour(canvas, line) {
    const { rows, columns } = this.data, context = canvas.getContext('2d');
    const least = this.data.least ?? this.ends[2 * line], greatest = this.data.greatest ?? this.ends[2 * line + 1];
    const pixels = context.createImageData(columns, rows);
    for (let patch = 0; patch < this.patches; ++patch) {
      const value = this.value(line, patch);
      const share = greatest > least ? (value - least) / (greatest - least) : 0;
      const color = 3 * Math.round(255 * Math.min(1, Math.max(0, share)));
      if (Number.isNaN(value)) continue;  // stays transparent
      for (let part = 0; part < 3; ++part) pixels.data[4 * patch + part] = this.colors[color + part];
      pixels.data[4 * patch + 3] = 255;
    }
    context.putImageData(pixels, 0, 0);
    return [least, greatest];
  }

  draw() {
    const { width, height } = this.canvas, context = this.canvas.getContext('2d');
    context.globalAlpha = 1;
    context.imageSmoothingEnabled = !this.few;
    context.drawImage(this.picture, 0, 0, width, height);
    context.globalAlpha = this.opacity.value / 100;
    context.imageSmoothingEnabled = this.smooth.checked;
    context.drawImage(this.small, 0, 0, width, height);
    context.globalAlpha = 1;
    if (this.chosen !== null) this.frame(context, this.chosen, '#ffffff');
    if (this.pointed !== null) this.frame(context, this.pointed, '#ffd54a');
  }

  frame(context, patch, color) {
    const wide = this.canvas.width / this.data.columns, high = this.canvas.height / this.data.rows;
    const thin = this.canvas.width / 450;
    for (const [style, width] of [['#000000', 3 * thin], [color, 1.5 * thin]]) {
      context.strokeStyle = style;
      context.lineWidth = width;
      context.strokeRect(patch % this.data.columns * wide, Math.floor(patch / this.data.columns) * high, wide, high);
    }
  }

  place(patch) { return { row: Math.floor(patch / this.data.columns) + 1, column: patch % this.data.columns + 1 }; }

  tell(line) {
    const words = this.section.dataset, choices = this.choices();
    const state = this.data.axes.map(({ name, choices: names }, i) => `${name} ${names[choices[i]]}`);
    if (this.chosen !== null) state.push(filled(words.seenFrom, this.place(this.chosen)));
    this.section.querySelector('.state span').textContent = state.join(' · ');
    const output = this.section.querySelector('.state output');
    if (this.pointed === null) {
      output.textContent = '';
    } else {
      const value = this.value(line, this.pointed);
      const text = Number.isNaN(value) ? words.noValue : inWords(value);
      output.textContent = filled(words.valueAt, { value: text, ...this.place(this.pointed) });
    }
  }
}
)js";

}  // namespace nunchi::draw
