// Keeps the chosen language from page to page. The pages work without it.
const KEY = "tallyproof-language";
const inputs = [...document.querySelectorAll('input[name="language"]')];

function choose(tag) {
  document.documentElement.lang = tag;
  for (const input of inputs) input.checked = input.value === tag;
}

// A browser may refuse storage, for instance for pages opened from a folder.
function remembered() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function remember(tag) {
  try {
    localStorage.setItem(KEY, tag);
  } catch {
    // The choice then holds for this page alone.
  }
}

const wanted = [remembered(), ...navigator.languages.map((tag) => tag.split("-")[0])];
const offered = wanted.find((tag) => inputs.some((input) => input.value === tag));
if (offered) choose(offered);
for (const input of inputs) {
  input.addEventListener("change", () => {
    choose(input.value);
    remember(input.value);
  });
}
