/* The queue under the keyboard. */
"use strict";
