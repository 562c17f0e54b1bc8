// draw/html_script_scatter.h: the part of an HtmlReport's script that lets the reader look around among many points
// (html_scatter.h).
#pragma once

namespace nunchi::draw {

constexpr const char* html_script_scatter = R"js(
// --- maps of many points

const colorCount = 6, mostPictures = 250, mostFound = 12;

class Scatter {
  constructor(section) {
    this.section = section;
    this.data = JSON.parse(section.querySelector('script').textContent);
    this.points = this.data.points;
    this.shapes = this.data.shapes.map(shape => new Path2D('M0 0' + shape));
    this.canvas = section.querySelector('canvas');
    this.tip = section.querySelector('.tip');
    this.picked = section.querySelector('.picked');
    this.pictures = section.querySelector('.check input');
    this.view = { scale: 1, x: this.data.width / 2, y: this.data.height / 2 };  // what stands in the middle
    this.hidden = new Set();
    this.found = null;  // what the search left, or null
    this.chosen = this.pointed = null;
    this.startLegend();
    this.startSearch();
    this.startMoving();
    this.startKeys();
    new ResizeObserver(() => this.resize()).observe(this.canvas);
    document.addEventListener('theme', () => this.resize());
    this.resize();
  }

  // --- what is asked for

  startLegend() {
    all('.legend li', this.section).forEach((item, group) => {
      const button = make('button', { type: 'button' }, ...item.childNodes);
      button.setAttribute('aria-pressed', 'true');
      item.append(button);
      button.addEventListener('click', () => {
        if (!this.hidden.delete(group)) this.hidden.add(group);
        button.setAttribute('aria-pressed', !this.hidden.has(group));
        this.search();
      });
    });
  }

  startSearch() {
    this.query = this.section.querySelector('.search input');
    this.query.addEventListener('input', () => this.search());
    this.pictures?.addEventListener('change', () => this.redraw());
    const form = this.section.querySelector('form');
    form.addEventListener('submit', event => {
      event.preventDefault();
      if (this.found?.size) this.choose([...this.found][0]);
    });
  }

  search() {
    const words = this.query.value.trim().toLowerCase();
    const fits = ({ group, name }) => !this.hidden.has(group) && name.toLowerCase().includes(words);
    this.found = words ? new Set([...this.points.keys()].filter(index => fits(this.points[index]))) : null;
    const counts = { count: this.found?.size, all: this.points.length };
    this.section.querySelector('.search b').textContent = words ? filled(this.section.dataset.found, counts) : '';
    const first = [...this.found ?? []].slice(0, mostFound).map(index => this.entry(index));
    this.section.querySelector('.found').replaceChildren(...first);
    this.redraw();
  }

  // A line of a list: a click chooses the point.
  entry(index, score = '') {
    const { name, thumbnail } = this.points[index], button = make('button', { type: 'button' });
    if (thumbnail) button.append(make('img', { src: thumbnail, alt: '' }));
    button.append(make('span', {}, name));
    if (score) button.append(make('i', {}, score));
    button.addEventListener('click', () => { this.choose(index); this.canvas.focus({ preventScroll: true }); });
    return make('li', {}, button);
  }

  choose(index) {
    this.chosen = index;
    this.picked.replaceChildren();
    if (index !== null) {
      const { name, group, thumbnail, neighbours } = this.points[index], figure = make('figure');
      if (thumbnail) figure.append(make('img', { src: thumbnail, alt: '' }));
      figure.append(make('figcaption', {}, make('b', {}, name), this.data.groups[group] ?? ''));
      this.picked.append(figure);
      if (neighbours.length) this.picked.append(make('p', {}, this.section.dataset.nearest));
      this.picked.append(make('ol', {}, ...neighbours.map(([other, score]) => this.entry(other, score))));
      this.bringIntoView(this.points[index]);
    }
    this.redraw();
  }

  // --- where the reader is

  startMoving() {
    const { canvas } = this, fingers = new Map();
    let moved = 0;
    canvas.addEventListener('wheel', event => {
      if (document.activeElement !== canvas && !event.ctrlKey && !event.metaKey) return;  // the page is being scrolled
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY / 400), event);
    }, { passive: false });
    canvas.addEventListener('pointerdown', event => {
      canvas.setPointerCapture(event.pointerId);
      fingers.set(event.pointerId, event);
      moved = 0;
    });
    canvas.addEventListener('pointermove', event => {
      const before = fingers.get(event.pointerId);
      if (!before) { this.point(this.nearest(event), event); return; }
      moved += Math.abs(event.clientX - before.clientX) + Math.abs(event.clientY - before.clientY);
      if (moved > 4) this.drag(fingers, before, event);
      fingers.set(event.pointerId, event);
    });
    canvas.addEventListener('pointerup', event => {
      if (moved <= 4 && fingers.size === 1) this.choose(this.nearest(event));
      fingers.delete(event.pointerId);
    });
    canvas.addEventListener('pointercancel', event => fingers.delete(event.pointerId));
    canvas.addEventListener('pointerleave', () => this.point(null));
  }

  // One finger moves; two also bring nearer what is between them.
  drag(fingers, before, event) {
    this.point(null);
    const part = 1 / fingers.size;
    this.move((before.clientX - event.clientX) * part, (before.clientY - event.clientY) * part);
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    if (!other) return;
    const apart = at => Math.hypot(at.clientX - other.clientX, at.clientY - other.clientY);
    const middle = { clientX: (event.clientX + other.clientX) / 2, clientY: (event.clientY + other.clientY) / 2 };
    this.zoom(apart(event) / Math.max(1, apart(before)), middle);
  }

  startKeys() {
    const on = (name, action) => this.section.querySelector(name).addEventListener('click', action);
    on('.nearer', () => this.zoom(1.5));
    on('.farther', () => this.zoom(1 / 1.5));
    on('.zoom .whole', () => this.showAll());
    const actions = {
      ArrowLeft: () => this.move(-60, 0), ArrowRight: () => this.move(60, 0), ArrowUp: () => this.move(0, -60),
      ArrowDown: () => this.move(0, 60), '+': () => this.zoom(1.5), '=': () => this.zoom(1.5),
      '-': () => this.zoom(1 / 1.5), 0: () => this.showAll(), Escape: () => this.choose(null),
    };
    this.canvas.addEventListener('keydown', event => {
      if (!actions[event.key] || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      actions[event.key]();
    });
  }

  showAll() {
    this.view = { scale: 1, x: this.data.width / 2, y: this.data.height / 2 };
    this.redraw();
  }

  move(x, y) {
    this.view.x += x / this.unit();
    this.view.y += y / this.unit();
    this.redraw();
  }

  // What is under `at`, or in the middle, stays where it is.
  zoom(times, at = null) {
    const scale = Math.min(60, Math.max(0.8, this.view.scale * times));
    const before = this.unit(), box = this.canvas.getBoundingClientRect();
    this.view.scale = scale;
    if (at) {
      const keep = 1 / before - 1 / this.unit();
      this.view.x += (at.clientX - box.left - box.width / 2) * keep;
      this.view.y += (at.clientY - box.top - box.height / 2) * keep;
    }
    this.redraw();
  }

  bringIntoView({ x, y }) {
    const [left, top] = this.placed({ x, y });
    if (left < 20 || top < 20 || left > this.wide - 20 || top > this.high - 20) Object.assign(this.view, { x, y });
  }

  // CSS pixels for one unit of the points.
  unit() {
    return this.view.scale * Math.min(this.wide / this.data.width, this.high / this.data.height);
  }

  placed({ x, y }) {
    const unit = this.unit();
    return [this.wide / 2 + (x - this.view.x) * unit, this.high / 2 + (y - this.view.y) * unit];
  }

  // The index of the point under the pointer, or null.
  nearest(event) {
    const box = this.canvas.getBoundingClientRect();
    let best = null, least = this.asPictures ? 26 : 14;
    this.points.forEach((point, index) => {
      if (!this.isActive(index)) return;
      const [x, y] = this.placed(point);
      const distance = Math.hypot(event.clientX - box.left - x, event.clientY - box.top - y);
      if (distance < least) [best, least] = [index, distance];
    });
    return best;
  }

  point(index) {
    if (index === this.pointed) return;
    this.pointed = index;
    this.canvas.style.cursor = index === null ? '' : 'pointer';
    this.showTip();
    this.redraw();
  }

  showTip() {
    this.tip.hidden = this.pointed === null;
    if (this.pointed === null) return;
    const point = this.points[this.pointed], [x, y] = this.placed(point);
    const group = this.data.groups[point.group];
    this.tip.replaceChildren(make('b', {}, point.name));
    if (point.thumbnail) this.tip.prepend(make('img', { src: point.thumbnail, alt: '' }));
    if (group) this.tip.append(make('span', {}, group));
    const right = x > this.wide / 2, below = y > this.high / 2;
    this.tip.style.left = `${x}px`;
    this.tip.style.top = `${y}px`;
    this.tip.style.transform = `translate(${right ? 'calc(-100% - 14px)' : '14px'}, ${below ? '-100%' : '0'})`;
  }

  // --- what is seen

  resize() {
    const style = getComputedStyle(this.canvas);
    this.wide = this.canvas.clientWidth;  // kept: to ask for them makes the browser lay out the page
    this.high = this.canvas.clientHeight;
    this.sharp = devicePixelRatio || 1;
    this.canvas.width = Math.round(this.wide * this.sharp);
    this.canvas.height = Math.round(this.high * this.sharp);
    this.colors = Array.from({ length: colorCount }, (_, i) => style.getPropertyValue(`--series-${i}`));
    this.ink = style.getPropertyValue('--ink');
    this.redraw();
  }

  redraw() { this.frame ??= requestAnimationFrame(() => { this.frame = null; this.draw(); }); }

  isActive(index) {
    return !this.hidden.has(this.points[index].group) && (this.found === null || this.found.has(index));
  }

  draw() {
    const context = this.canvas.getContext('2d');
    context.setTransform(this.sharp, 0, 0, this.sharp, 0, 0);
    context.clearRect(0, 0, this.wide, this.high);
    const near = new Set(this.chosen === null ? [] : this.points[this.chosen].neighbours.map(([index]) => index));
    const shown = [];
    this.points.forEach((point, index) => {
      const [x, y] = this.placed(point);
      const inside = x > -30 && y > -30 && x < this.wide + 30 && y < this.high + 30;
      if (inside && !this.hidden.has(point.group)) shown.push({ index, x, y });
    });
    const isLoud = index => index === this.chosen || near.has(index);
    const isQuiet = index => !isLoud(index) && (this.chosen !== null || !this.isActive(index));
    this.asPictures = this.pictures?.checked && shown.filter(({ index }) => !isQuiet(index)).length <= mostPictures;
    if (this.chosen !== null) this.drawLines(context, near);
    for (const each of shown) if (!isLoud(each.index)) this.drawPoint(context, each, isQuiet(each.index));
    for (const each of shown) if (isLoud(each.index)) this.drawPoint(context, each, false);
    for (const each of shown)
      if (each.index === this.chosen || each.index === this.pointed)
        this.drawRing(context, each, this.asPictures && !isQuiet(each.index));
  }

  drawLines(context, near) {
    const from = this.placed(this.points[this.chosen]);
    context.globalAlpha = 0.5;
    context.strokeStyle = this.ink;
    context.beginPath();
    for (const index of near) {
      context.moveTo(...from);
      context.lineTo(...this.placed(this.points[index]));
    }
    context.stroke();
  }

  drawPoint(context, { index, x, y }, quiet) {
    const point = this.points[index], image = this.asPictures && !quiet ? this.thumbnailOf(point) : null;
    context.globalAlpha = quiet ? 0.16 : 0.85;
    context.fillStyle = this.colors[point.group % colorCount];
    if (image) {
      context.globalAlpha = 1;
      context.fillRect(x - 22, y - 22, 44, 44);
      context.drawImage(image, x - 20, y - 20, 40, 40);
      return;
    }
    const size = this.sharp * Math.min(1.6, (0.7 + 0.2 * Math.log2(this.view.scale + 1)) * (quiet ? 0.8 : 1));
    context.setTransform(size, 0, 0, size, x * this.sharp, y * this.sharp);
    context.fill(this.shapes[Math.floor(point.group / colorCount) % this.shapes.length]);
    context.setTransform(this.sharp, 0, 0, this.sharp, 0, 0);
  }

  thumbnailOf(point) {
    if (!point.thumbnail) return null;
    if (!point.image) {
      point.image = new Image();
      point.image.onload = () => this.redraw();
      point.image.src = point.thumbnail;
    }
    return point.image.complete ? point.image : null;
  }

  drawRing(context, { x, y }, asPicture) {
    context.globalAlpha = 1;
    context.strokeStyle = this.ink;
    context.lineWidth = 2;
    context.beginPath();
    if (asPicture) context.rect(x - 24, y - 24, 48, 48);
    else context.arc(x, y, 9, 0, 2 * Math.PI);
    context.stroke();
    context.lineWidth = 1;
  }
}
)js";

}  // namespace nunchi::draw
