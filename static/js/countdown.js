// data-countdown="seconds": the time that is left, every second; at its end the page is asked for anew.
// The server says how much is left, so that a wrong clock of the browser does not matter.
(() => {
  const written = (seconds) => {
    const rest = String(seconds % 60).padStart(2, "0");
    const minutes = Math.floor(seconds / 60);
    if (minutes < 60) return `${minutes}:${rest}`;
    return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest}`;
  };

  for (const element of document.querySelectorAll("[data-countdown]")) {
    const ends = performance.now() + Number(element.dataset.countdown) * 1000;
    const show = () => {
      const left = Math.ceil((ends - performance.now()) / 1000);
      element.textContent = written(Math.max(left, 0));
      if (left > 0) return;
      clearInterval(timer);
      // A moment later, so that the server's clock is past it as well. By GET: reload() would
      // send a form again whose answer this page is.
      setTimeout(() => location.replace(location.pathname + location.search), 1500);
    };
    const timer = setInterval(show, 1000);
    show();
  }
})();
