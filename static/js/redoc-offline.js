// Redoc's bundle asks another host for a picture of its maker's. Nothing leaves this one.
const image = HTMLImageElement.prototype;
const { setAttribute } = image;
const source = Object.getOwnPropertyDescriptor(image, "src");
const isOurs = (address) => new URL(address, location.href).origin === location.origin;

image.setAttribute = function (name, value) {
  if (name !== "src" || isOurs(value)) setAttribute.call(this, name, value);
};
Object.defineProperty(image, "src", {
  ...source,
  set(address) {
    if (isOurs(address)) source.set.call(this, address);
  },
});

// It writes style elements, some before it can be told a nonce: each gets that of this script.
const { nonce } = document.currentScript;
const { createElement } = document;

document.createElement = function (name, ...rest) {
  const element = createElement.call(this, name, ...rest);
  if (name === "style") element.nonce = nonce;
  return element;
};
