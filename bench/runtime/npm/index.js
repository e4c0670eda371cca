// hello on Google's functions framework for Node, as its documentation has it.
const functions = require('@google-cloud/functions-framework');

functions.http('hello', (request, response) => {
  response.type('text/plain').send('Hello, world!\n');
});
