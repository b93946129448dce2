#pragma once

namespace ajar::app {

class App;

// Sends one streamed request through the running server, prints it as it comes and then what the server knows of it.
// Gives the process's exit status.
int hello(App& app);

}  // namespace ajar::app
