"""Finding out what came of requests without an answer, and putting right what is not as it should be."""
