/* nothing yet */
int main(void) { return 0; }
