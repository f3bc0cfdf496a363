// BokehJS writes <style> elements into shadow roots. The policy lets them in by this page's nonce only, so every
// style element gets it at birth. Must run before BokehJS.
(() => {
  "use strict";
  const nonce = document.currentScript.nonce;
  const create = Document.prototype.createElement;
  Document.prototype.createElement = function (name, options) {
    const element = create.call(this, name, options);
    if (String(name).toLowerCase() === "style") element.nonce = nonce;
    return element;
  };
})();
