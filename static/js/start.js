// Small help on top of pages that work without it: focus on what went wrong, and no second click on a sent form.
import { createAll, Button, ErrorSummary, NotificationBanner, SkipLink } from "/static/vendor/govuk/govuk-frontend.min.js";

document.body.classList.add("js-enabled", "govuk-frontend-supported");
createAll(ErrorSummary);
createAll(NotificationBanner);
createAll(SkipLink);
createAll(Button, { preventDoubleClick: true });
