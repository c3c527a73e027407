// Run inside the page: moves a slider as a hand would and notes when the page repaints.
const handleOf = (dial) => document.querySelector(`${dial} .noUi-handle`);
const nextFrame = () => new Promise((resolve) => requestAnimationFrame(resolve));
const after = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Calls back with the time just after the frame in which the element changed was painted.
function watchRepaints(element, callback) {
  let pending = false;
  const observer = new MutationObserver(() => {
    if (pending) return;
    pending = true;
    requestAnimationFrame(() => setTimeout(() => {
      pending = false;
      callback(performance.now());
    }));
  });
  observer.observe(element, {
    attributes: true, characterData: true, childList: true, subtree: true,
  });
  return () => observer.disconnect();
}

async function drag({ dial, figure, to, duration }) {
  const handle = handleOf(dial);
  const track = document.querySelector(`${dial} .noUi-base`).getBoundingClientRect();
  const clientY = track.top + track.height / 2;
  const send = (type, fraction, buttons) =>
    handle.dispatchEvent(new MouseEvent(type, {
      bubbles: true, cancelable: true, view: window, button: 0, buttons,
      clientX: track.left + fraction * track.width, clientY,
    }));
  const paints = [];
  const stop = watchRepaints(document.querySelector(figure), (time) => paints.push(time));
  const box = handle.getBoundingClientRect();
  const from = (box.left + box.width / 2 - track.left) / track.width;
  send("mousedown", from, 1);
  const start = performance.now();
  let fraction = 0;
  while (fraction < 1) {
    await nextFrame();
    fraction = Math.min(1, (performance.now() - start) / duration);
    send("mousemove", from + fraction * (to - from), 1);
  }
  const end = performance.now();
  send("mouseup", to, 0);
  do await after(500); while (paints.length && performance.now() - paints.at(-1) < 500);
  stop();
  return {
    n_updates: paints.filter((time) => time <= end).length,
    duration_s: (end - start) / 1000,
    lag_ms: Math.max(0, (paints.at(-1) ?? end) - end),
  };
}

// Resolves with the time at which the last of some views has been painted anew.
function allRepainted(selectors) {
  return Promise.all(selectors.map((selector) => new Promise((resolve) => {
    const stop = watchRepaints(document.querySelector(selector), (time) => {
      stop();
      resolve(time);
    });
  }))).then((times) => Math.max(...times));
}

async function press({ dial, views, n }) {
  const handle = handleOf(dial);
  handle.focus();
  const delays = [];
  for (let i = 0; i < n; i++) {
    const start = performance.now();
    const painted = allRepainted(views);
    handle.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
    const time = await Promise.race([painted, after(5000)]);
    if (time === undefined) throw new Error(`press ${i + 1} of ${n} did not change ${views}`);
    delays.push(time - start);
    await after(120);
  }
  return delays;
}
