import "./style/base.css";
import "./style/frame.css";
import "./style/parts.css";
import "./style/views.css";

import { render } from "preact";
import { App } from "./app";
import { applyTheme, savedTheme } from "./theme";

applyTheme(savedTheme());
const root = document.getElementById("app");
if (root) render(<App />, root);
