// Shows the first of the chosen pictures in its drop zone before they are sent. Nothing leaves the machine here.
(() => {
  const zone = document.querySelector("[data-picture-drop]");
  if (!zone) return;
  const input = zone.querySelector("input[type=file]");
  const image = zone.querySelector("img");
  const hint = zone.querySelector("[data-picture-hint]");
  const name = zone.querySelector("[data-picture-name]");
  let address = "";

  const size = (bytes) =>
    bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;

  const show = () => {
    const [file, ...others] = input.files;
    const more = others.length ? ` and ${others.length} more` : "";
    if (address) URL.revokeObjectURL(address);
    address = file ? URL.createObjectURL(file) : "";
    image.hidden = !file;
    hint.hidden = Boolean(file);
    if (file) image.src = address;
    name.textContent = file ? `${file.name}, ${size(file.size)}${more}` : "";
  };

  input.addEventListener("change", show);

  for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
    zone.addEventListener(kind, (event) => {
      event.preventDefault();
      zone.classList.toggle("is-over", kind === "dragenter" || kind === "dragover");
    });
  }
  zone.addEventListener("drop", (event) => {
    if (!event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    show();
  });

  // A file the browser cannot draw keeps its name; the server says what is wrong with it.
  image.addEventListener("error", () => {
    image.hidden = true;
    hint.hidden = false;
  });
  show();
})();
