// Shows of a job's form what the chosen operation asks for; the rest is neither seen nor sent.
(() => {
  const parts = document.querySelectorAll("[data-for-operation]");
  const show = () => {
    const chosen = document.querySelector("input[name=operation]:checked");
    if (!chosen) return;
    for (const part of parts) {
      const fits = part.dataset.forOperation.split(" ").includes(chosen.value);
      part.hidden = !fits;
      for (const field of part.querySelectorAll("input, select")) field.disabled = !fits;
    }
  };
  // In the capturing phase: before the price is asked for with what is sent then.
  document.addEventListener("change", show, true);
  show();
})();
